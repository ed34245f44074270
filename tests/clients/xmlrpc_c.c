/* xmlrpc-c, as its command "xmlrpc" calls. URL OPERATION RAMAL TELEFONE; prints the call id.
   cc xmlrpc_c.c -o xmlrpc_c $(xmlrpc-c-config client --libs) */
#include <stdio.h>
#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

int main(int count, char **given) {
    xmlrpc_env env;
    int id = 0;
    xmlrpc_env_init(&env);
    xmlrpc_client_init2(&env, XMLRPC_CLIENT_NO_FLAGS, "tests", "1", NULL, 0);
    xmlrpc_value *answer = xmlrpc_client_call(&env, given[1], given[2], "(ss)", given[3], given[4]);
    if (!env.fault_occurred)
        xmlrpc_decompose_value(&env, answer, "{s:i,*}", "id", &id);
    printf(env.fault_occurred ? "fault: %s\n" : "%.0s%d\n", env.fault_occurred ? env.fault_string : "", id);
    return env.fault_occurred || count < 5;
}
