<?php
// PHP's xmlrpc extension and its HTTP stream. URL OPERATION JSON-OF-PARAMETERS; prints the call id.
error_reporting(E_ALL & ~E_DEPRECATED);
[$_, $url, $operation, $json] = $argv;
$fields = array_map(fn ($text) => utf8_decode($text), json_decode($json, true));
$body = xmlrpc_encode_request($operation, array_values($fields));
$about = ['method' => 'POST', 'header' => 'Content-Type: text/xml', 'content' => $body];
$answer = xmlrpc_decode(file_get_contents($url, false, stream_context_create(['http' => $about])));
if (xmlrpc_is_fault($answer)) { echo 'fault: ', $answer['faultString'], "\n"; exit(1); }
echo $answer['id'], "\n";
