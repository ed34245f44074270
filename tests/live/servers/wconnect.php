<?php
// A stand-in for WConnect as its public client shows it: nuSOAP, rpc/encoded, ISO-8859-1, names with spaces, the login in
// every request. What nobody knows of the real one (pages, changes, the answer to a wrong login) is this one's own.
// WCONNECT_ACCOUNTS=250 php -S HOST:PORT wconnect.php
require __DIR__ . '/nusoap_for_php8.php';

$server = new nusoap_server();
$server->configureWSDL('WConnect CRM Senior', 'urn:WConnect');
$wsdl = $server->wsdl;
$wsdl->schemaTargetNamespace = 'urn:WConnect';

function structure(string $name, array $types): void
{
    global $wsdl;
    $wsdl->addComplexType($name, 'complexType', 'struct', 'all', '', fields($types));
}

function list_of(string $name, string $type): void
{
    global $wsdl;
    $wsdl->addComplexType($name, 'complexType', 'array', '', 'SOAP-ENC:Array', [], array_of("tns:$type"), "tns:$type");
}

$text = 'xsd:string';
$login = ['UsuarioLogin' => $text, 'UsuarioSenha' => $text];
$pages = ['Pagina' => 'xsd:int', 'PorPagina' => 'xsd:int', 'AlteradoDesde' => $text];
structure('Tautenticacao', $login);
structure('TautenticacaoRetornoDados', ['status' => $text, 'mensagem' => $text]);
$filter = ['ContasId' => 'xsd:int', 'ContasIdERP' => 'xsd:int', 'ContasCNPJ' => $text, 'ContasCPF' => $text];
structure('ContasParametros', $login + $filter + ['ContasEmail' => $text] + $pages);
$account = ['contaId' => 'xsd:int', 'contaIdERP' => 'xsd:int', 'contaNome' => $text, 'contaFantasia' => $text];
$account += ['contaTelefone' => $text, 'contaFax' => $text, 'contaCelular' => $text, 'contaCnpj' => $text];
$account += ['contaCidadeDescricao' => $text, 'contaCidadeUf' => $text, 'contaObservacoes' => $text];
structure('ContasDados', $account);
list_of('ContasRetorno', 'ContasDados');
structure('ContatosParametros', $login + $pages);
$contact = ['contatoId' => 'xsd:int', 'contatoContaId' => 'xsd:int', 'contatoContaDescricao' => $text];
$contact += ['contatoNome' => $text, 'contatoTelefone' => $text, 'contatoRamal' => $text, 'contatoFax' => $text];
structure('ContatosDados', $contact + ['contatoCelular' => $text, 'contatoEmail' => $text]);
list_of('ContatosRetorno', 'ContatosDados');

$operations = ['setTeste' => ['Auth', 'Tautenticacao', 'TautenticacaoRetornoDados']];
$operations['getContas'] = ['Parametros', 'ContasParametros', 'ContasRetorno'];
$operations['getContatos'] = ['Parametros', 'ContatosParametros', 'ContatosRetorno'];
foreach ($operations as $name => [$part, $in, $out]) {
    $server->register($name, [$part => "tns:$in"], ['return' => "tns:$out"], 'urn:WConnect', "urn:WConnect#$name");
}

function wrong(array $asked)
{
    $right = $asked['UsuarioLogin'] === 'gateway' && $asked['UsuarioSenha'] === "s3nha\xe7";
    return $right ? null : new nusoap_fault('Client', '', utf8_decode('usuário ou senha inválidos'));
}

/** The page that is asked for; everything when none is. Every tenth record is one that changed. */
function page(array $asked, array $all): array
{
    if ($asked['AlteradoDesde'] ?? '') {
        $all = array_values(array_filter($all, fn ($i) => $i % 10 === 0, ARRAY_FILTER_USE_KEY));
    }
    $number = getenv('WCONNECT_NO_PAGES') ? 0 : (int) ($asked['Pagina'] ?? 0);
    $size = (int) ($asked['PorPagina'] ?? 0);
    return $number && $size ? array_slice($all, ($number - 1) * $size, $size) : $all;
}

function setTeste($asked)
{
    return wrong($asked) ?? ['status' => 'OK', 'mensagem' => utf8_decode('conexão estabelecida')];
}

function getContas($asked)
{
    if ($fault = wrong($asked)) {
        return $fault;
    }
    $all = [];
    for ($i = 1; $i <= (int) getenv('WCONNECT_ACCOUNTS'); $i++) {
        $phone = sprintf('(47) 32%02d-%04d', intdiv($i, 10000), $i % 10000);
        $all[] = ['contaId' => $i, 'contaIdERP' => 0, 'contaNome' => utf8_decode("Padaria São João & Cia $i"),
            'contaFantasia' => '', 'contaTelefone' => $phone, 'contaFax' => '', 'contaCelular' => sprintf('4799%07d', $i),
            'contaCnpj' => $i === 3 ? '11.222.333/0001-81' : '', 'contaCidadeDescricao' => utf8_decode('Jaraguá'), 'contaCidadeUf' => 'SC',
            'contaObservacoes' => utf8_decode("linha 1\nlinha 2 <ç>")];
    }
    return page($asked, $all);
}

function getContatos($asked)
{
    if ($fault = wrong($asked)) {
        return $fault;
    }
    $all = [];
    for ($i = 1; $i <= (int) getenv('WCONNECT_ACCOUNTS'); $i += 2) {
        $all[] = ['contatoId' => 1000 + $i, 'contatoContaId' => $i === 1 ? 0 : $i,
            'contatoContaDescricao' => utf8_decode("Padaria São João & Cia $i"), 'contatoNome' => utf8_decode("José $i"),
            'contatoTelefone' => '', 'contatoRamal' => '12', 'contatoFax' => '',
            'contatoCelular' => sprintf('(47) 98%03d-%04d', intdiv($i, 10000), $i % 10000), 'contatoEmail' => ''];
    }
    return page($asked, $all);
}

$server->service(file_get_contents('php://input'));
