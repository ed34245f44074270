<?php
// PHP's SoapClient. URL MODE OPERATION JSON-OF-PARAMETERS; prints the call id, or "fault: ..." with exit code 1.
// Modes: wsdl, wsdl12, gzip, encoded (no WSDL), named, encoded12, literal (no WSDL), map, array, nil, http10.
ini_set('soap.wsdl_cache_enabled', '0');
[$_, $url, $mode, $operation, $json] = $argv;
$fields = json_decode($json, true);
$encoded = ['location' => $url, 'uri' => 'urn:WConnect'];
$twelve = ['soap_version' => SOAP_1_2];
$gzip = ['compression' => SOAP_COMPRESSION_ACCEPT | SOAP_COMPRESSION_GZIP | 6];
$options = [
    'wsdl' => [], 'wsdl12' => $twelve, 'gzip' => $gzip,
    'encoded' => $encoded, 'named' => $encoded, 'encoded12' => $encoded + $twelve, 'map' => $encoded,
    'array' => $encoded, 'nil' => $encoded,
    'literal' => $encoded + ['style' => SOAP_DOCUMENT, 'use' => SOAP_LITERAL],
    'http10' => $encoded + ['stream_context' => stream_context_create(['http' => ['protocol_version' => 1.0]])],
][$mode];
$byWsdl = in_array($mode, ['wsdl', 'wsdl12', 'gzip'], true);
$named = fn () => array_map(fn ($name) => new SoapParam($fields[$name], $name), array_keys($fields));
try {
    $client = new SoapClient($byWsdl ? $url . '?wsdl' : null, $options);
    $literal = $byWsdl && !str_contains($url, 'WSDL.php');
    $arguments = match (true) {
        $literal => [$fields],
        in_array($mode, ['named', 'literal'], true) => $named(),
        $mode === 'map' => [$fields],
        $mode === 'array' => [array_values($fields)],
        $mode === 'nil' => [...array_values($fields), null, null],
        default => array_values($fields),
    };
    $answer = $client->__soapCall($operation, $arguments);
    $id = is_object($answer) ? $answer->id : (is_array($answer) ? $answer['id'] : $answer);
    echo $id, "\n";
} catch (SoapFault $fault) {
    echo 'fault: ', $fault->getMessage(), "\n";
    exit(1);
}
