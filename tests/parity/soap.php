<?php
// PHP's half of tests/parity: reads one JSON job a line from standard input, writes one JSON answer a line. Sends nothing.
//   {"wsdl", "calls": [[operation, arguments, SOAP version], ...], "headers": [[namespace, name, value], ...]}
//       -> {"functions": [...], "calls": [[envelope, null] or [null, reason], ...]} or {"refused": reason}
//   {"serve": wsdl, "version", "operation", "envelope"}
//       -> {"operation", "arguments"} or {"refused": what the server answers}
ini_set('soap.wsdl_cache_enabled', '0');
ini_set('display_errors', '0');
error_reporting(0);

class Maker extends SoapClient
{
    public string $made = '';

    public function __doRequest($request, $location, $action, $version, $one_way = false): ?string
    {
        $this->made = $request;
        return '';
    }
}

class Receiver
{
    public ?array $came = null;

    public function __construct(private string $expected)
    {
    }

    // Called for blocks of the header as well.
    public function __call($operation, $arguments)
    {
        $this->came = ['operation' => $operation, 'arguments' => $arguments];
        if (strtolower($operation) === strtolower($this->expected)) {
            throw new SoapFault('Server', 'received');
        }
        return null;
    }
}

function answer(array $told): void
{
    fwrite(STDOUT, json_encode($told, JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR) . "\n");
    fflush(STDOUT);
}

function made(Maker $client, string $operation, array $arguments): array
{
    $client->made = '';
    try {
        try {
            $client->__soapCall($operation, $arguments);
        } catch (Throwable $unread) {
            if ($client->made === '') {
                throw $unread;
            }
        }
        return [$client->made, null];
    } catch (Throwable $error) {
        return [null, $error->getMessage()];
    }
}

function built(array $job): array
{
    $clients = [];
    try {
        foreach (array_unique([1, ...array_column($job['calls'], 2)]) as $version) {
            $clients[$version] = new Maker(
                $job['wsdl'], ['location' => 'http://127.0.0.1:9/', 'exceptions' => true, 'soap_version' => $version]
            );
            $clients[$version]->__setSoapHeaders(array_map(fn ($told) => new SoapHeader(...$told), $job['headers'] ?? []));
        }
    } catch (Throwable $error) {
        return ['refused' => $error->getMessage()];
    }
    $names = [];
    foreach ($clients[1]->__getFunctions() as $function) {
        // Answers of several parts come as "list(string $a, int $b) name(string $c)".
        if (preg_match('/^(?:list\(.*?\)|\S+) (\S+)\(/', $function, $found)) {
            $names[] = $found[1];
        }
    }
    $calls = [];
    foreach ($job['calls'] as [$operation, $arguments, $version]) {
        $calls[] = made($clients[$version], $operation, $arguments);
    }
    return ['functions' => $names, 'calls' => $calls];
}

$serving = null;
$receiver = null;

function served(array $job): array
{
    global $serving, $receiver;
    $serving = '';
    ob_start(function ($written) use (&$serving) { $serving .= $written; return ''; });
    $receiver = new Receiver($job['operation']);
    try {
        $server = new SoapServer($job['serve'], [
            'soap_version' => $job['version'], 'features' => SOAP_SINGLE_ELEMENT_ARRAYS, 'send_errors' => true,
        ]);
        $server->setObject($receiver);
        $server->handle($job['envelope']);
    } catch (Throwable $error) {
        $serving .= $error->getMessage();
    }
    while (ob_get_level()) {
        ob_end_clean();
    }
    $refused = $serving;
    $serving = null;
    return $receiver->came ?? ['refused' => $refused];
}

// SoapServer ends the process where it cannot read an envelope.
register_shutdown_function(function () {
    global $serving, $receiver;
    if ($serving !== null) {
        while (ob_get_level()) {
            ob_end_clean();
        }
        answer($receiver->came ?? ['refused' => $serving ?: (error_get_last()['message'] ?? 'PHP ended')]);
    }
});

while (($line = fgets(STDIN)) !== false) {
    $job = json_decode($line, true);
    answer(isset($job['serve']) ? served($job) : built($job));
}
