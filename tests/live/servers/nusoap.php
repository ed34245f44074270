<?php
// A nuSOAP server with WConnect's style: names with spaces, rpc/encoded, ISO-8859-1. php -S HOST:PORT nusoap.php
require __DIR__ . '/nusoap_for_php8.php';

$server = new nusoap_server();
$server->configureWSDL('WConnect CRM Senior', 'urn:WConnect');
$wsdl = $server->wsdl;
$wsdl->schemaTargetNamespace = 'urn:WConnect';
$parameters = fields(['UsuarioLogin' => 'xsd:string', 'UsuarioSenha' => 'xsd:string', 'ContasId' => 'xsd:int']);
$parameters += fields(['ContasTelefones' => 'tns:Telefones']);
$wsdl->addComplexType('ContasParametros', 'complexType', 'struct', 'all', '', $parameters);
$account = fields(['contaId' => 'xsd:int', 'contaNome' => 'xsd:string']);
$wsdl->addComplexType('ContasDados', 'complexType', 'struct', 'all', '', $account);
$accounts = array_of('tns:ContasDados');
$wsdl->addComplexType('ContasRetorno', 'complexType', 'array', '', 'SOAP-ENC:Array', [], $accounts, 'tns:ContasDados');
$wsdl->addComplexType('Telefones', 'complexType', 'array', '', 'SOAP-ENC:Array', [], array_of('xsd:string'), 'xsd:string');
$out = ['return' => 'tns:ContasRetorno'];
$server->register('getContas', ['Parametros' => 'tns:ContasParametros'], $out, 'urn:WConnect', 'urn:WConnect#getContas');

function getContas($asked)
{
    if ($asked['UsuarioSenha'] !== "s3nha\xe7") {
        return new nusoap_fault('Client', '', utf8_decode('usuário ou senha inválidos'));
    }
    $name = utf8_decode('Padaria São João ') . implode('+', $asked['ContasTelefones']);
    return [['contaId' => $asked['ContasId'], 'contaNome' => $name], ['contaId' => 8, 'contaNome' => 'x']];
}

$server->service(file_get_contents('php://input'));
