<?php
// nuSOAP. URL MODE OPERATION JSON-OF-PARAMETERS; modes: wsdl, latin1, position, utf8. Prints the call id.
// Debian's nuSOAP names constructors after their classes, which PHP 8 no longer calls: they are renamed in memory.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING & ~E_NOTICE);
$source = file_get_contents('/usr/share/php/nusoap/nusoap.php');
preg_match_all('/^class (\w+)/m', $source, $classes);
foreach ($classes[1] as $class) {
    $source = preg_replace("/function $class *\\(/", 'function __construct(', $source);
    $source = preg_replace("/parent::$class *\\(/", 'parent::__construct(', $source);
}
eval('?>' . $source);

[$_, $url, $mode, $operation, $json] = $argv;
$fields = json_decode($json, true);
$client = $mode === 'wsdl' ? new nusoap_client($url . '?wsdl', true) : new nusoap_client($url);
if ($mode === 'utf8') {
    $client->soap_defencoding = 'UTF-8';
    $client->decode_utf8 = false;
} else {
    $fields = array_map(fn ($text) => utf8_decode($text), $fields);
}
$arguments = $mode === 'position' ? array_values($fields) : $fields;
$answer = $mode === 'wsdl'
    ? $client->call($operation, $arguments)
    : $client->call($operation, $arguments, 'http://tempuri.org/', '');
if ($client->fault || $client->getError()) {
    echo 'fault: ', $client->getError(), ' ', json_encode($answer), "\n";
    exit(1);
}
echo is_array($answer) ? $answer['id'] : $answer, "\n";
