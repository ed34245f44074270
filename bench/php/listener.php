<?php
// The listener a PHP integrator would write for WConnect's GET URLs.

declare(strict_types=1);

require __DIR__ . '/store.php';

$kind = str_contains($_SERVER['REQUEST_URI'], 'FinalizaLigacao') ? 'call_ended' : 'call_started';
$ramal = trim($_REQUEST['ramal'] ?? '');
$telefone = trim($_REQUEST['telefone'] ?? '');

header('Content-Type: text/plain; charset=utf-8');
if ($ramal === '' || $telefone === '') {
    http_response_code(400);
    echo "ERRO: ramal e telefone\n";
    exit;
}
try {
    echo 'OK ', remember($kind, $ramal, $telefone, $_REQUEST['url_audio'] ?? ''), "\n";
} catch (PDOException $error) {
    http_response_code(503);
    echo "ERRO\n";
}
