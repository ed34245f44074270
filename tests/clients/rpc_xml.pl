# RPC::XML. URL OPERATION VALUE...; prints the call id. Types are guessed from the values (11 digits become i8).
use strict; use warnings;
use RPC::XML::Client;
my ($url, $operation, @values) = @ARGV;
my $answer = RPC::XML::Client->new($url)->send_request($operation, @values);
die "fault: $answer\n" unless ref $answer;
die 'fault: ' . $answer->string . "\n" if $answer->is_fault;
print $answer->value->{id}, "\n";
