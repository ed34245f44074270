<?php
// The import a PHP integrator would write: php import.php FILE.csv DATABASE. Prints accounts and phones.

declare(strict_types=1);

[, $file, $database] = $argv;
$pdo = new PDO("sqlite:$database", null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$pdo->exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
$pdo->exec('CREATE TABLE IF NOT EXISTS contas (id INTEGER PRIMARY KEY, codigo TEXT UNIQUE, nome TEXT)');
$pdo->exec('CREATE TABLE IF NOT EXISTS telefones (id INTEGER PRIMARY KEY, conta TEXT, contato TEXT, numero TEXT)');
$account = $pdo->prepare('INSERT INTO contas (codigo, nome) VALUES (?, ?) ON CONFLICT (codigo) DO UPDATE SET nome = excluded.nome');
$phone = $pdo->prepare('INSERT INTO telefones (conta, contato, numero) VALUES (?, ?, ?)');
$lines = fopen($file, 'r');
fgetcsv($lines, null, ';', '"', '');
$accounts = $phones = 0;
$pdo->beginTransaction();
while (($row = fgetcsv($lines, null, ';', '"', '')) !== false) {
    [$code, $name, $contact, $fixed, $mobile] = array_map(fn ($cell) => iconv('Windows-1252', 'UTF-8', $cell), $row);
    $account->execute([$code, $name]);
    foreach ([$fixed, $mobile] as $text) {
        $phone->execute([$code, $contact, preg_replace('/\D/', '', $text)]);
        $phones++;
    }
    if (++$accounts % 1000 === 0) {
        $pdo->commit();
        $pdo->beginTransaction();
    }
}
$pdo->commit();
echo "$accounts $phones\n";
