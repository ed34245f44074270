<?php
// Debian's nuSOAP names constructors after their classes, which PHP 8 no longer calls: they are renamed in memory.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING & ~E_NOTICE);
$source = file_get_contents('/usr/share/php/nusoap/nusoap.php');
preg_match_all('/^class (\w+)/m', $source, $classes);
foreach ($classes[1] as $class) {
    $source = preg_replace("/function $class *\\(/", 'function __construct(', $source);
    $source = preg_replace("/parent::$class *\\(/", 'parent::__construct(', $source);
}
eval('?>' . $source);

function fields(array $types): array
{
    array_walk($types, fn (&$type, $name) => $type = ['name' => $name, 'type' => $type]);
    return $types;
}

function array_of(string $type): array
{
    return [['ref' => 'SOAP-ENC:arrayType', 'wsdl:arrayType' => $type . '[]']];
}
