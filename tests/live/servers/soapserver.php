<?php
// PHP's SoapServer on the WSDL and with the internal charset that the environment names: php -S HOST:PORT soapserver.php
// PHP always answers in UTF-8; where that is not wanted, sites convert the output and say so in the HTTP header only.
class Crm
{
    private function text(string $text): string
    {
        return iconv('UTF-8', getenv('SOAP_CHARSET'), $text);
    }

    public function getContas($asked)
    {
        if ($asked->UsuarioSenha !== $this->text('s3nhaç')) {
            throw new SoapFault('Client', $this->text('usuário ou senha inválidos'));
        }
        $name = $this->text('Padaria São João ') . implode('+', (array) $asked->ContasTelefones);
        return [['contaId' => $asked->ContasId, 'contaNome' => $name], ['contaId' => 8, 'contaNome' => 'x']];
    }
}

ini_set('soap.wsdl_cache_enabled', '0');
$server = new SoapServer(getenv('SOAP_WSDL'), ['encoding' => getenv('SOAP_CHARSET')]);
$server->setClass('Crm');
if (getenv('SOAP_CHARSET') === 'UTF-8') {
    $server->handle();
    exit;
}
ob_start(function (string $answer): string {
    header('Content-Type: text/xml; charset=ISO-8859-1');
    $answer = iconv('UTF-8', 'ISO-8859-1', preg_replace('/^<\?xml.*?\?>\s*/', '', $answer));
    header('Content-Length: ' . strlen($answer));
    return $answer;
});
$server->handle();
