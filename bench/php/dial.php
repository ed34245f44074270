<?php
// The click-to-call a PHP integrator would write: the order into a table, the appliance's URL, the outcome behind it.

declare(strict_types=1);

require __DIR__ . '/store.php';

$origem = trim($_REQUEST['origem'] ?? '');
$destino = preg_replace('/\D/', '', $_REQUEST['destino'] ?? '');

header('Content-Type: text/plain; charset=utf-8');
if ($origem === '' || $destino === '') {
    http_response_code(400);
    echo "ERRO: origem e destino\n";
    exit;
}
try {
    $store = open_store();
    $order = $store->prepare('INSERT INTO orders (origem, destino, at) VALUES (?, ?, ?)');
    $order->execute([$origem, $destino, (int) (microtime(true) * 1000)]);
    $id = (int) $store->lastInsertId();
    $url = $_SERVER['BENCH_APPLIANCE'] . http_build_query(['from' => $origem, 'to' => $destino]);
    $answer = file_get_contents($url, false, stream_context_create(['http' => ['timeout' => 10]]));
    $accepted = $answer !== false && str_starts_with($answer, 'OK');
    $outcome = $store->prepare('UPDATE orders SET outcome = ? WHERE id = ?');
    $outcome->execute([$accepted ? 'accepted' : 'refused', $id]);
    http_response_code($accepted ? 200 : 502);
    echo $accepted ? 'OK' : 'ERRO', " $id\n";
} catch (PDOException $error) {
    http_response_code(503);
    echo "ERRO\n";
}
