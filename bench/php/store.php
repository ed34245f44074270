<?php
// What listener.php and soap.php share: one durable row for each event, and its number.

declare(strict_types=1);

// BENCH_PERSISTENT keeps one connection for each PHP process, as an integrator would who looked for speed.
function open_store(): PDO
{
    $store = new PDO('sqlite:' . $_SERVER['BENCH_DATABASE'], null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_PERSISTENT => $_SERVER['BENCH_PERSISTENT'] === '1',
        PDO::ATTR_TIMEOUT => 30,
    ]);
    // Both hold for a connection only; the WAL mode is kept in the file.
    $store->exec('PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000');
    return $store;
}

function remember(string $kind, string $ramal, string $telefone, string $url_audio = ''): int
{
    $store = open_store();
    $insert = $store->prepare(
        'INSERT INTO events (kind, ramal, telefone, url_audio, at) VALUES (?, ?, ?, ?, ?)'
    );
    $insert->execute([$kind, $ramal, $telefone, $url_audio, (int) (microtime(true) * 1000)]);
    return (int) $store->lastInsertId();
}
