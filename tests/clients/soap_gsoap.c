/* gSOAP, by the rpc/encoded WSDL. URL OPERATION [RAMAL TELEFONE [URL_AUDIO]]; prints the call id.
   wsdl2h -c -o wconnect.h wconnect.wsdl && soapcpp2 -C -c -L wconnect.h
   cc -I. soap_gsoap.c soapC.c soapClient.c -lgsoap -o soap_gsoap */
#include <stdio.h>
#include <string.h>
#include "soapH.h"
#include "WConnectBinding.nsmap"

int main(int count, char **given) {
    struct soap *soap = soap_new();
    struct ns1__ConsultaRamalResponse started;
    struct ns1__FinalizaLigacaoResponse ended;
    struct ns1__ClickToCallResponse ordered;
    struct ns1__TesteResponse tested;
    struct ns1__Retorno *told = NULL;
    char *url = given[1], *operation = given[2];
    char *ramal = count > 3 ? given[3] : NULL, *telefone = count > 4 ? given[4] : NULL;

    if (!strcmp(operation, "ConsultaRamal")) {
        if (!soap_call_ns1__ConsultaRamal(soap, url, NULL, ramal, telefone, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &started))
            told = started.return_;
    } else if (!strcmp(operation, "FinalizaLigacao")) {
        if (!soap_call_ns1__FinalizaLigacao(soap, url, NULL, ramal, telefone, given[5], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &ended))
            told = ended.return_;
    } else if (!strcmp(operation, "ClickToCall")) {
        if (!soap_call_ns1__ClickToCall(soap, url, NULL, ramal, telefone, NULL, NULL, NULL, NULL, &ordered))
            told = ordered.return_;
    } else if (!soap_call_ns1__Teste(soap, url, NULL, NULL, NULL, &tested)) {
        told = tested.return_;
    }
    if (!told) {
        soap_print_fault(soap, stdout);
        return 1;
    }
    printf("%lld\n", (long long) told->id);
    return 0;
}
