# SOAP::Lite. URL MODE OPERATION NAME=VALUE...; modes: wsdl, position, named, tempuri. Prints the call id.
use strict; use warnings; use utf8; use open qw(:std :utf8);
use Encode qw(decode);
use SOAP::Lite;
my ($url, $mode, $operation, @pairs) = map { decode('UTF-8', $_) } @ARGV;
my @fields = map { [split /=/, $_, 2] } @pairs;
my $answer;
if ($mode eq 'wsdl') {
    $answer = SOAP::Lite->service("$url?wsdl")->$operation(map { $_->[1] } @fields);
    die "fault\n" unless $answer;
} else {
    my $client = SOAP::Lite->proxy($url)->uri($mode eq 'tempuri' ? 'http://tempuri.org/' : 'urn:WConnect');
    $client->on_fault(sub { my ($c, $r) = @_; die 'fault: ' . (ref $r ? $r->faultstring : $c->transport->status) . "\n" });
    my @arguments = map { $mode eq 'position' ? $_->[1] : SOAP::Data->name($_->[0] => $_->[1]) } @fields;
    my $result = $client->call($operation => @arguments);
    $answer = $result->result;
    $answer = { status => $answer, id => ($result->paramsout)[1] } unless ref $answer;
}
print "$answer->{id}\n";
