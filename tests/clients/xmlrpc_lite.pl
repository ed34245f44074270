# XMLRPC::Lite. URL OPERATION VALUE...; prints the call id. Types are guessed from the values.
use strict; use warnings;
use XMLRPC::Lite;
my ($url, $operation, @values) = @ARGV;
my $result = XMLRPC::Lite->proxy($url)->call($operation, @values);
die 'fault: ' . $result->faultstring . "\n" if $result->fault;
print $result->result->{id}, "\n";
