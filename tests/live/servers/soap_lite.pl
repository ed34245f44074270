#!/usr/bin/perl
# SOAP::Lite's own daemon: rpc/encoded, without a WSDL. soap_lite.pl PORT
use strict;
use warnings;
use utf8;
use SOAP::Transport::HTTP;

package WConnect;

sub getContas {
    my ($class, $asked) = @_;
    if ($asked->{UsuarioSenha} ne "s3nhaç") {
        die SOAP::Fault->faultcode('Client')->faultstring('usuario ou senha');
    }
    my $name = 'Padaria São João ' . join('+', @{ $asked->{ContasTelefones} });
    return SOAP::Data->name('return' => [
        { contaId => $asked->{ContasId}, contaNome => $name },
        { contaId => 8, contaNome => 'x' },
    ]);
}

package main;

my $daemon = SOAP::Transport::HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1);
$daemon->dispatch_with({ 'urn:WConnect' => 'WConnect' });
$daemon->handle;
