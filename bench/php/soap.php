<?php
// The same contract served by PHP's own SoapServer, from the WSDL that cti-gateway publishes.

declare(strict_types=1);

require __DIR__ . '/store.php';

final class WConnect
{
    public function ConsultaRamal(object $call): array
    {
        return $this->done('chamada registrada', remember('call_started', $call->ramal, $call->telefone));
    }

    public function FinalizaLigacao(object $call): array
    {
        $url = $call->url_audio ?? '';
        return $this->done('chamada finalizada', remember('call_ended', $call->ramal, $call->telefone, $url));
    }

    private function done(string $message, int $id): array
    {
        return ['status' => 'OK', 'mensagem' => $message, 'id' => $id];
    }
}

$server = new SoapServer($_SERVER['BENCH_WSDL'], ['cache_wsdl' => WSDL_CACHE_BOTH]);
$server->setClass(WConnect::class);
$server->handle();
