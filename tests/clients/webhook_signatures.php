<?php
// Signs requests as the providers' own code does, with PHP's functions, and posts them. BASE-URL PUBLIC-BASE KEY; prints
// a line for each: what it is, and the status of the signed request and of the same one with another body.
[$_, $base, $public, $key] = $argv;
$now = (string) time();
$form = 'application/x-www-form-urlencoded';

function post(string $url, string $type, string $body, array $headers): int {
    $lines = ["Content-Type: $type"];
    foreach ($headers as $name => $value) { $lines[] = "$name: $value"; }
    $about = ['method' => 'POST', 'header' => $lines, 'content' => $body, 'ignore_errors' => true];
    file_get_contents($url, false, stream_context_create(['http' => $about]));
    return (int) explode(' ', $http_response_header[0])[1];
}

function base64url(string $bytes): string { return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '='); }

function joined(array $fields): string {
    ksort($fields);
    return implode('', array_map(fn ($name, $value) => $name . $value, array_keys($fields), $fields));
}

function tell(string $name, string $query, string $type, string $body, string $changed, array $headers): void {
    global $base;
    $url = "$base/in/$name$query";
    echo $name, ' ', post($url, $type, $body, $headers), ' ', post($url, $type, $changed, $headers), "\n";
}

$fields = ['type' => 'ring', 'id' => "php-$now", 'ext' => '201', 'from' => '+554733334444', 'name' => 'Zoé & Cia'];
$body = http_build_query($fields);
$changed = http_build_query(['ext' => '202'] + $fields);
$json = json_encode($fields);
$other = json_encode(['ext' => '202'] + $fields);

$made = base64_encode(hash_hmac('sha1', "$public/in/twilio?x=1" . joined($fields), $key, true));
tell('twilio', '?x=1', $form, $body, $changed, ['X-Twilio-Signature' => $made]);

$made = hash_hmac('sha1', 'https://cti.example.com:443/in/didww' . joined($fields), $key);
tell('didww', '', $form, $body, $changed, ['X-DIDWW-Signature' => $made]);

$made = base64_encode(hash_hmac('sha1', $fields['from'] . $fields['ext'], $key));
tell('zadarma', '', $form, $body, $changed, ['Signature' => $made]);

$sent = fn ($text) => http_build_query(['vpbx_api_key' => 'K', 'sign' => hash('sha256', 'K' . $json . $key), 'json' => $text]);
tell('mango', '', $form, $sent($json), $sent($other), []);

$made = base64_encode(hash_hmac('sha256', "$public/in/plivo?a=1&b=2." . joined($fields) . '.n-1', $key, true));
tell('plivo', '?b=2&a=1', $form, $body, $changed, ['X-Plivo-Signature-V3' => "x,$made", 'X-Plivo-Signature-V3-Nonce' => 'n-1']);

$made = hash_hmac('sha256', $body, $key);
tell('placetel', '', $form, $body, $changed, ['X-PLACETEL-SIGNATURE' => $made]);

$made = 'v0=' . hash_hmac('sha256', "v0:$now:$json", $key);
tell('zoom', '', 'application/json', $json, $other, ['x-zm-signature' => $made, 'x-zm-request-timestamp' => $now]);

$pair = sodium_crypto_sign_seed_keypair(implode('', array_map('chr', range(0, 31))));
$made = base64_encode(sodium_crypto_sign_detached("$now|$json", sodium_crypto_sign_secretkey($pair)));
tell('telnyx', '', 'application/json', $json, $other, ['telnyx-signature-ed25519' => $made, 'telnyx-timestamp' => $now]);

$claims = ['iat' => (int) $now, 'iss' => 'Vonage', 'payload_hash' => hash('sha256', $json)];
$signed = base64url('{"alg":"HS256","typ":"JWT"}') . '.' . base64url(json_encode($claims));
$made = $signed . '.' . base64url(hash_hmac('sha256', $signed, $key, true));
tell('vonage', '', 'application/json', $json, $other, ['Authorization' => "Bearer $made"]);

$made = 'v1,' . base64_encode(hash_hmac('sha256', "msg_1.$now.$json", base64_decode('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), true));
$headers = ['webhook-id' => 'msg_1', 'webhook-timestamp' => $now, 'webhook-signature' => "v1,AAAA $made"];
tell('standard', '', 'application/json', $json, $other, $headers);
