#!/usr/bin/perl
# Mail::AuthenticationResults, which comes with Mail::DKIM, for authres_fields.py: a line of JSON with the value of a field
# in, what it reads in it out.
use strict;
use warnings;

use JSON::PP;
use Mail::AuthenticationResults::Parser;
use MIME::Base64;

my $json = JSON::PP->new->ascii->allow_nonref;

# Its version and comments are children like the properties.
sub properties {
    my ($entry) = @_;
    return [ map { [ $_->key, $_->value ] }
            grep { $_->isa('Mail::AuthenticationResults::Header::SubEntry') } @{ $entry->children } ];
}

sub read_field {
    my ($value) = @_;
    my $header = Mail::AuthenticationResults::Parser->new->parse($value);
    return {
        id      => $header->value->value,
        entries => [ map { [ $_->key, $_->value, properties($_) ] } @{ $header->children } ],
    };
}

$| = 1;
$SIG{__WARN__} = sub { };
while ( my $line = <STDIN> ) {
    my $ask = decode_json($line);
    my $value = defined $ask->{text} ? $ask->{text} : decode_base64( $ask->{octets} );
    my $answer = eval { read_field($value) } || { error => "$@" };
    print $json->encode($answer), "\n";
}
