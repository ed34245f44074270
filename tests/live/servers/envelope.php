<?php
// Prints the envelopes that PHP's SoapClient makes: reads a JSON list of [wsdl, operation, arguments] from standard input,
// writes a JSON list of [envelope, null] or [null, reason]. Nothing is sent.
ini_set('soap.wsdl_cache_enabled', '0');
error_reporting(0);
class Silent extends SoapClient {
    public string $made = '';
    public function __doRequest($request, $location, $action, $version, $one_way = false): ?string {
        $this->made = $request;
        return '';
    }
}
$answers = [];
foreach (json_decode(stream_get_contents(STDIN), true) as [$wsdl, $operation, $arguments]) {
    try {
        $client = new Silent($wsdl, ['location' => 'http://127.0.0.1:9/', 'exceptions' => true]);
        try {
            $client->__soapCall($operation, $arguments);
        } catch (Throwable $unread) {
            if ($client->made === '') {
                throw $unread;
            }
        }
        $answers[] = [$client->made, null];
    } catch (Throwable $error) {
        $answers[] = [null, $error->getMessage()];
    }
}
echo json_encode($answers, JSON_INVALID_UTF8_SUBSTITUTE);
