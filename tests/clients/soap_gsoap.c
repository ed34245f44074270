/* gSOAP, by the rpc/encoded WSDL. URL RAMAL TELEFONE; prints the call id.
   wsdl2h -c -o wconnect.h wconnect.wsdl && soapcpp2 -C -c -L wconnect.h
   cc -I. soap_gsoap.c soapC.c soapClient.c -lgsoap -o soap_gsoap */
#include <stdio.h>
#include "soapH.h"
#include "WConnectBinding.nsmap"

int main(int count, char **given) {
    struct soap *soap = soap_new();
    struct ns1__ConsultaRamalResponse answer;
    if (count < 4 || soap_call_ns1__ConsultaRamal(soap, given[1], NULL, given[2], given[3], NULL, NULL, NULL, &answer)) {
        soap_print_fault(soap, stdout);
        return 1;
    }
    printf("%lld\n", (long long) answer.return_->id);
    return 0;
}
