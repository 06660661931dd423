#!/usr/bin/perl
# Mail::DKIM for arc.py: arc_peer.pl PORT asks the DNS server at that port; a line of JSON in, one out.
use strict;
use warnings;

our $shift = 0;    # seconds from the real clock to the one of the question
BEGIN { *CORE::GLOBAL::time = sub () { CORE::time() + $main::shift } }

use JSON::PP;
use MIME::Base64;
use Mail::DKIM::ARC::MessageSignature;
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;
use Mail::DKIM::PrivateKey;
use Net::DNS;

# The sealer writes relaxed/relaxed and nothing else; a message signature may have any form.
my $form = 'relaxed/relaxed';
{
    no warnings 'redefine';
    my $new = \&Mail::DKIM::ARC::MessageSignature::new;
    *Mail::DKIM::ARC::MessageSignature::new = sub { $new->( @_, Method => $form ) };
}

sub seal {
    my ($ask) = @_;
    $form = $ask->{Method};
    my $sealer = Mail::DKIM::ARC::Signer->new(
        Algorithm => 'rsa-sha256',
        Key       => Mail::DKIM::PrivateKey->load( Data => $ask->{key} ),
        map { $_ => $ask->{$_} } grep { defined $ask->{$_} } qw(Chain Domain SrvId Selector Timestamp Expiration)
    );
    $sealer->PRINT( decode_base64( $ask->{message} ) );
    $sealer->CLOSE;
    die $sealer->result . ': ' . ( $sealer->{details} || '' ) if $sealer->result ne 'sealed';
    return { fields => [ map { encode_base64( $_, '' ) } $sealer->as_strings ] };
}

sub verify {
    my ($ask) = @_;
    my $verifier = Mail::DKIM::ARC::Verifier->new( Strict => 1 );
    $verifier->PRINT( decode_base64( $ask->{message} ) );
    $verifier->CLOSE;
    return { result => $verifier->result, detail => $verifier->result_detail };
}

my ($port) = @ARGV;
my $resolver = Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, retry => 1, retrans => 2,
    udp_timeout => 5, tcp_timeout => 5, udppacketsize => 4096, defnames => 0, dnsrch => 0
);
Mail::DKIM::DNS::resolver($resolver);
$| = 1;
$SIG{__WARN__} = sub { };
while ( my $line = <STDIN> ) {
    my $ask = decode_json($line);
    $shift = $ask->{now} - CORE::time();
    my $answer = eval { $ask->{op} eq 'seal' ? seal($ask) : verify($ask) } || { error => "$@" };
    print encode_json($answer), "\n";
}
