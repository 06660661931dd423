# Mail::SPF as a peer: PORT of the DNS server. Each line of JSON {ip, helo, sender, receiver, repairs} is answered with
# {result, explanation}. Each repair takes away one departure from RFC 7208; spf_mailspf.py says which those are.
use strict;
use warnings;

use JSON::PP;
use Mail::SPF;
use Mail::SPF::v1::Record;
use Net::DNS;

my $patience_s = 10;
our (%repair, $in_explanation, $in_ptr, $asked_type);
my $macro = qr/%(?:[%_-]|\{([A-Za-z])([0-9]*)([rR]?)([.\-+,\/_=]*)\})/;

# Net::DNS takes a name as people write it; here its octets are meant.
package Asker {
  our @ISA = ('Net::DNS::Resolver');
  sub send {
    my ($self, $name, $type) = @_;
    $name =~ s/([^A-Za-z0-9._-])/sprintf('\\%03d', ord $1)/ge if $repair{'presentation'};
    $name .= '.' if $repair{'address name'};
    return $self->SUPER::send($name, $type);
  }
}

sub wrap {
  my ($name, $wrapper) = @_;
  no strict 'refs';
  no warnings 'redefine';
  my $original = \&{$name};
  *{$name} = sub { $wrapper->($original, @_) };
}

# Records that are no match and no void look-up.
sub irrelevant {
  my $packet = Net::DNS::Packet->new('irrelevant.example', 'HINFO');
  $packet->push(answer => Net::DNS::RR->new('irrelevant.example. 0 IN HINFO a b'));
  return $packet;
}

sub is_impossible {
  my ($name, $type) = @_;
  my @labels = split(/\./, $name, -1);
  return 1 if $repair{'single label'} && $type eq 'TXT' && @labels < 2;
  return $repair{'impossible name'} && (!@labels || grep { $_ eq '' || length($_) > 63 } @labels);
}

wrap('Mail::SPF::Server::dns_lookup', sub {
  my ($original, $server, $domain, $type) = @_;
  $asked_type = $type;
  if ($repair{'impossible name'}) {
    $domain = "$domain";
    $domain =~ s/\.$//;
    while (length($domain) > 253) { $domain =~ s/^[^.]*\.// or $domain = '' }
  }
  return irrelevant() if is_impossible($repair{'impossible name'} ? $domain : "$domain" =~ s/\.$//r, $type);
  my $packet = $original->($server, $domain, $type);
  mend($packet, $type);
  return $packet;
});

sub mend {
  my ($packet, $type) = @_;
  my $answer = $packet->{answer};
  @$answer = () if $repair{'alias void'} && !grep { $_->type eq $type } @$answer;
  return if $type ne 'MX';
  my @hosts = grep { $_->type eq 'MX' && $_->exchange !~ /^\.?$/ } @$answer;
  throw Mail::SPF::EProcessingLimitExceeded('MX limit') if $repair{'mx limit'} && @hosts > 10;
  return if !$repair{'mx order'};
  my @others = grep { $_->type ne 'MX' } @$answer;
  @$answer = (@others, sort { $a->preference <=> $b->preference or $a->exchange cmp $b->exchange }
              grep { $_->type eq 'MX' } @$answer);
}

wrap('Mail::SPF::Mech::match_in_domain', sub {
  my ($original, $self, $server, $request, $domain) = @_;
  return 0 if $repair{'null mx'} && defined $domain && !ref $domain && $domain =~ /^\.?$/;
  return $original->($self, $server, $request, $domain);
});

wrap('Mail::SPF::Mech::IP6::match', sub {
  my ($original, $self, $server, $request) = @_;
  return 0 if $repair{'ip6 family'} && $request->ip_address->version == 4;
  return $original->($self, $server, $request);
});

wrap('Mail::SPF::Util::valid_domain_for_ip_address', sub {
  my ($original, @arguments) = @_;
  $arguments[4] = "$arguments[4]" if $repair{'late target'};
  local $in_ptr = 1;
  my $name = eval { $original->(@arguments) };
  my $error = $@;
  return $name if !$error;
  return undef if $repair{'ptr error'} && ref $error && $error->isa('Mail::SPF::EDNSError');
  die $error;
});

wrap('Mail::SPF::Server::count_void_dns_lookup', sub {
  my ($original, @arguments) = @_;
  return if $in_explanation && $repair{'exp counts'};
  return if $in_ptr && $asked_type ne 'PTR' && $repair{'ptr void'};
  return $original->(@arguments);
});

wrap('Mail::SPF::Mod::Redirect::process', sub {
  my ($original, $self, $server, $request, $result) = @_;
  return if $repair{'idle redirect'} && !$result->isa('Mail::SPF::Result::NeutralByDefault');
  return $original->($self, $server, $request, $result);
});

wrap('Mail::SPF::Mod::Exp::process', sub {
  my ($original, @arguments) = @_;
  local $in_explanation = 1;
  return $original->(@arguments);
});

wrap('Mail::SPF::Result::Fail::authority_explanation', sub {
  my ($original, $self) = @_;
  local $in_explanation = 1;
  return $original->($self);
});

# The record's text.

sub replaced {
  my ($text, $change) = @_;
  $text =~ s/($macro)/defined $2 ? $change->($2, $3, $4, $5) : $1/ge;
  return $text;
}

wrap('Mail::SPF::Record::parse', sub {
  my ($original, $self) = @_;
  my $text = $self->{parse_text};
  throw Mail::SPF::EInvalidRecordVersion('version') if $repair{'octets'} && $text !~ /^v=spf1(?:\x20|\z)/i;
  throw Mail::SPF::EJunkInRecord('octets') if $repair{'octets'} && $text =~ /[^ -~]/;
  $self->{parse_text} = replaced($text, sub { "%{$_[0]$_[1]" . lc($_[2]) . "$_[3]}" }) if $repair{'capital r'};
  return $original->($self);
});

sub check_letters {
  my ($text, $letters) = @_;
  replaced($text, sub {
    my ($letter, $digits) = @_;
    throw Mail::SPF::EInvalidMacro('macro') if $letter !~ /[$letters]/i || $digits =~ /^0+$/;
    return '';
  });
}

wrap('Mail::SPF::Term::parse_domain_spec', sub {
  my ($original, $self, $required) = @_;
  my $before = $self->{parse_text};
  $original->($self, $required);
  my $spec = substr($before, 0, length($before) - length($self->{parse_text}));
  return if $spec eq '';
  check_letters($spec, 'slodiphv') if $repair{'macro letters'};
  $self->{domain_spec} = Mail::SPF::MacroString->new(text => $spec =~ s/\.$//r) if $repair{'url escape'};
});

wrap('Mail::SPF::Mod::parse_params', sub {
  my ($original, $self, $required) = @_;
  check_letters($self->{parse_text}, 'slodiphvcrt') if $repair{'macro letters'};
  return $original->($self, $required);
});

# A colon stands before a domain-spec, and there only.
wrap('Mail::SPF::Mech::parse_name', sub {
  my ($original, $self) = @_;
  my $before = $self->{parse_text};
  $original->($self);
  my $rest = $self->{parse_text};
  my $colon = substr($before, 0, length($before) - length($rest)) =~ /:\z/;
  my $prefixes = $rest =~ m{^(?:/[0-9]+)?(?://[0-9]+)?\z};
  throw Mail::SPF::EJunkInTerm('colon') if $repair{'colon'} && ($colon ? $prefixes : !$prefixes);
});

wrap('Mail::SPF::MacroString::expand', sub {
  my ($original, $self, @context) = @_;
  return $original->($self, @context) if defined $self->{expanded};
  count_client_names($self) if $repair{'p term'} && !$in_explanation && !$self->{is_explanation};
  local $self->{text} = $self->{text};
  my $request = $context[1] // $self->{request};
  $self->{text} = replaced($self->{text}, sub {
    my ($letter, $digits, $reverse, $delimiters) = @_;
    my $said = $repair{'split'} ? said($request, lc $letter) : undef;
    return transformed($said, @_) if defined $said && $digits !~ /^0+$/;
    # Any number asks for the parts.
    $digits = 999 if $repair{'split'} && $digits eq '' && $reverse eq '' && $delimiters ne '';
    $reverse = 'r' if $reverse && $repair{'capital r'};
    return "%{$letter$digits$reverse$delimiters}";
  });
  return $original->($self, @context);
});

# What may end with a delimiter.
sub said {
  my ($request, $letter) = @_;
  return $letter eq 'h' ? $request->helo_identity : $letter eq 'l' ? $request->localpart
       : $letter eq 's' ? $request->identity : undef;
}

sub transformed {
  my ($value, $letter, $digits, $reverse, $delimiters) = @_;
  my $set = $delimiters eq '' ? '.' : $delimiters;
  my @parts = "$digits$reverse$delimiters" eq '' ? $value : split(/[\Q$set\E]/, $value, -1);
  @parts = reverse @parts if $reverse;
  splice(@parts, 0, @parts - $digits) if $digits && @parts > $digits;
  my $text = join('.', @parts);
  $text =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ge if $letter =~ /[A-Z]/;
  return $text =~ s/%/%%/gr;
}

sub count_client_names {
  my ($self) = @_;
  replaced($self->{text}, sub {
    $self->{server}->count_dns_interactive_term($self->{request}) if lc($_[0]) eq 'p';
    return '';
  });
}

# What may not stand in an explanation makes it none.
sub explanation_of {
  my ($result) = @_;
  my $text = $result->authority_explanation;
  my $template = $result->request->state('authority_explanation');
  return $text if !$repair{'explanation text'} || !defined $template;
  my $known = $template->text =~ /^(?:[ -\$&-~]|%(?:[%_-]|\{[slodiphvcrt][0-9]*r?[.\-+,\/_=]*\}))*\z/i;
  return $known && $template->text !~ /%\{[a-z]0+[^0-9]/i && $text =~ /^[ -~]*\z/ ? $text : '';
}

sub judge {
  my ($server, $question) = @_;
  my $request = Mail::SPF::Request->new(
    versions => [1], scope => 'mfrom', identity => $question->{sender}, ip_address => $question->{ip},
    helo_identity => $question->{helo});
  my $result = $server->process($request);
  my $code = $result->code;
  return {result => $code, explanation => $code eq 'fail' ? explanation_of($result) : ''};
}

my ($port) = @ARGV;
my $asker = Asker->new(nameservers => ['127.0.0.1'], port => $port, recurse => 1, retry => 1, retrans => 1,
                       udp_timeout => 5, tcp_timeout => 5, defnames => 0, dnsrch => 0);
my $json = JSON::PP->new->ascii;
$SIG{__WARN__} = sub { };  # modules complain about hostile names
$| = 1;
while (my $line = <STDIN>) {
  my $question = $json->decode($line);
  %repair = map { $_ => 1 } @{$question->{repairs}};
  my $server = Mail::SPF::Server->new(dns_resolver => $asker, hostname => $question->{receiver},
                                      default_authority_explanation => '');
  my $answer = eval {
    local $SIG{ALRM} = sub { die "no end\n" };
    alarm $patience_s;
    my $judged = judge($server, $question);
    alarm 0;
    $judged;
  };
  my $error = $@;
  alarm 0;
  my $why = ref $error && $error->can('text') ? ref($error) . ': ' . $error->text : $error;
  $answer //= {result => "crash: $why", explanation => ''};
  print $json->encode($answer), "\n";
}
