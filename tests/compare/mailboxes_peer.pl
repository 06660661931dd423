#!/usr/bin/perl
# Mail::Address as a reader of From: {"value": base64} in, {"domains": [...]} out.
use strict;
use warnings;
use JSON::PP;
use Mail::Address;
use MIME::Base64;

$| = 1;
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
  my $value = decode_base64(decode_json($line)->{value});
  my @domains = eval { map { $_->host } Mail::Address->parse($value) };
  print encode_json({domains => [map { encode_base64($_ // "", "") } @domains]}), "\n";
}
