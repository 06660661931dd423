#!/usr/bin/perl
# Mail::DKIM for dkim.py: dkim_peer.pl PORT asks the DNS server at that port; a line of JSON in, one out.
use strict;
use warnings;

our $shift = 0;    # seconds from the real clock to the one of the question
BEGIN { *CORE::GLOBAL::time = sub () { CORE::time() + $main::shift } }

use JSON::PP;
use MIME::Base64;
use Mail::DKIM::DNS;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signature;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

# What Mail::DKIM says of values it did not expect is nobody's business here.
$SIG{__WARN__} = sub { };

# Signatures that cannot be parsed are not in the verifier's list: the others tell which field they are of.
my $ordinal = 0;
{
    no warnings 'redefine';
    my $parse = \&Mail::DKIM::Signature::parse;
    *Mail::DKIM::Signature::parse = sub {
        my $mine      = $ordinal++;
        my $signature = $parse->(@_);
        $signature->{ordinal} = $mine;
        return $signature;
    };
}

sub sign {
    my ($ask) = @_;
    my $policy = sub {
        my ($signer) = @_;
        my $signature = Mail::DKIM::Signature->new(
            Algorithm => 'rsa-sha256',
            map { $_ => $ask->{$_} } grep { defined $ask->{$_} } qw(Method Headers Domain Selector Identity Timestamp Expiration Query)
        );
        $signature->body_count( $ask->{length} ) if $ask->{length};
        $signer->add_signature($signature);
        return;
    };
    my $signer = Mail::DKIM::Signer->new( Policy => $policy, Key => Mail::DKIM::PrivateKey->load( Data => $ask->{key} ) );
    $signer->PRINT( decode_base64( $ask->{message} ) );
    $signer->CLOSE;
    return { field => encode_base64( $signer->signature->as_string, '' ) };
}

sub verify {
    my ($ask) = @_;
    my $verifier = Mail::DKIM::Verifier->new( Strict => 1 );
    $ordinal = 0;
    $verifier->PRINT( decode_base64( $ask->{message} ) );
    $verifier->CLOSE;
    return { map { $_->{ordinal} => $_->result_detail } $verifier->signatures };
}

my ($port) = @ARGV;
my $resolver = Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, retry => 1, retrans => 2,
    udp_timeout => 5, tcp_timeout => 5, udppacketsize => 4096, defnames => 0, dnsrch => 0
);
Mail::DKIM::DNS::resolver($resolver);
$| = 1;
while ( my $line = <STDIN> ) {
    my $ask = decode_json($line);
    $shift = $ask->{now} - CORE::time();
    my $answer = eval { $ask->{op} eq 'sign' ? sign($ask) : verify($ask) } || { error => "$@" };
    print encode_json($answer), "\n";
}
