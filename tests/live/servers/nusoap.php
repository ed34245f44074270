<?php
// A nuSOAP server with WConnect's style: names with spaces, rpc/encoded, ISO-8859-1. php -S HOST:PORT nusoap.php
// Debian's nuSOAP names constructors after their classes, which PHP 8 no longer calls: they are renamed in memory.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING & ~E_NOTICE);
$source = file_get_contents('/usr/share/php/nusoap/nusoap.php');
preg_match_all('/^class (\w+)/m', $source, $classes);
foreach ($classes[1] as $class) {
    $source = preg_replace("/function $class *\\(/", 'function __construct(', $source);
    $source = preg_replace("/parent::$class *\\(/", 'parent::__construct(', $source);
}
eval('?>' . $source);

function fields(array $types): array
{
    array_walk($types, fn (&$type, $name) => $type = ['name' => $name, 'type' => $type]);
    return $types;
}

function array_of(string $type): array
{
    return [['ref' => 'SOAP-ENC:arrayType', 'wsdl:arrayType' => $type . '[]']];
}

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
