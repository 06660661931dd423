"""Where python3-authres reads otherwise than Sesame, each time with what it would have to do to agree. A difference is
explained when it is gone once the named places are mended, and not before."""

import authres
import authres.core

CONTEXT = authres.core_features()
KEYWORD = r"[A-Za-z0-9_-]+"
VALUE = r"[\x21\x23-\x27\x29-\x3a\x3c-\x7e\x80-\xff]*"
TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`{|}~\x80-\xff-]+"

EXPLAINED = {
    "space": "it stops inside CFWS behind white space and a comment, and knows no 8-bit octets nor bare line ends, but "
             "what Python calls white space in front; RFC 5322 3.2.2",
    "id": "it takes an authserv-id for a dot-atom, which is a token or a quoted string; RFC 8601 2.2",
    "keyword": "it takes dots and specials into methods, results and properties, which are keywords; RFC 8601 2.2",
    "members": "it wants \"none\" or a result after every \";\", and takes \"none\" for itself wherever a word begins so "
               "or results precede; Sesame passes over empty members, RFC 8601 2.2 has none alone",
    "value": "it leaves quoted pairs as they are, drops a quoted value with another property behind it, takes the next "
             "word for an empty one, writes 8-bit octets of reasons \"?\", and ends unquoted values at specials that "
             "mail in use has; RFC 8601 2.2",
    "ptype": "it drops ptypes it does not know; RFC 8601 2.2 has any keyword",
    "strict": "it passes over what it cannot read behind a result, and takes reasons right behind the result only; "
              "Sesame refuses the field",
    "several": "more than one of these places in one field",
}
PLACES = tuple(place for place in EXPLAINED if place != "several")


def unescaped(text):
    """What a quoted string holds, as Sesame has it; None when it may not hold that."""
    result, pair = "", False
    for c in text:
        if c == "\\" and not pair:
            pair = True
            continue
        pair = False
        if c in "\r\n":
            continue
        if (c < " " and c != "\t") or c == "\x7f":
            return None
        result += c
    return result


class Reader(authres.core.AuthenticationResultsHeader):
    mends = frozenset()

    def _mended(self, place):
        return place in self.mends

    def _parse_rfc5322_cfws(self):
        if not self._mended("space"):
            return super()._parse_rfc5322_cfws()
        while self._parse_pattern(r"[ \t\r\n]+") or self._parse_rfc5322_comment():
            pass

    def _parse_rfc5322_ccontent(self):
        if not self._mended("space"):
            return super()._parse_rfc5322_ccontent()
        return self._parse_pattern(r"[^()\\]+") or self._parse_pattern(r"\\[\s\S]") or self._parse_rfc5322_comment()

    def _parse_authserv_id(self):
        if not self._mended("id"):
            return super()._parse_authserv_id()
        self._parse_rfc5322_cfws()
        if self._parse_text.startswith('"'):
            return self._quoted() or "\0"
        token = self._parse_pattern(TOKEN)
        return token and token.group()

    def _quoted(self):
        match = self._parse_pattern(r'"((?:[^"\\]|\\[\s\S])*)"')
        text = match and unescaped(match.group(1))
        if text is None:
            raise authres.core.SyntaxError("quoted string", self._parse_text)
        return text

    def _parse_key_atom(self):
        return self._keyword() if self._mended("keyword") else super()._parse_key_atom()

    def _parse_dot_key_atom(self):
        return self._keyword() if self._mended("keyword") else super()._parse_dot_key_atom()

    def _keyword(self):
        self._parse_rfc5322_cfws()
        match = self._parse_pattern(KEYWORD)
        self._parse_rfc5322_cfws()
        return match and match.group()

    def _parse_methodspec(self):
        if not self._mended("keyword"):
            return super()._parse_methodspec()
        method, version = self._parse_method()
        self._parse_rfc5322_cfws()
        result = self._parse_pattern("=") and self._keyword()
        if not result:
            raise authres.core.SyntaxError("result", self._parse_text)
        return method, version, result

    def _parse_pvalue(self):
        return self._value() if self._mended("value") else super()._parse_pvalue()

    def _parse_rfc2045_value(self):
        return self._value() if self._mended("value") else super()._parse_rfc2045_value()

    def _value(self):
        self._parse_rfc5322_cfws()
        text = ""
        if self._parse_text.startswith('"'):
            text = self._quoted()
            if not self._parse_text.startswith("@"):
                return text
        return text + self._parse_pattern(VALUE).group()

    def _parse_propspec(self):
        if not self._mended("ptype"):
            return super()._parse_propspec()
        ptype = self._parse_key_atom()
        if not ptype:
            return None
        self._parse_rfc5322_cfws()
        name = self._parse_pattern(r"\.") and self._parse_dot_key_atom()
        self._parse_rfc5322_cfws()
        if not name or not self._parse_pattern("="):
            raise authres.core.SyntaxError("property", self._parse_text)
        value = self._parse_pvalue()
        if value is None:
            raise authres.core.SyntaxError("pvalue", self._parse_text)
        return authres.core.AuthenticationResultProperty(ptype, name, value)

    def _parse_reasonspec(self):
        if not self._mended("strict"):
            return super()._parse_reasonspec()
        before = self._parse_text
        if self._parse_pattern(r"reason(?![A-Za-z0-9_-])"):
            self._parse_rfc5322_cfws()
            if self._parse_pattern("="):
                self._parse_rfc5322_cfws()
                return self._parse_rfc2045_value() or ""
        self._parse_text = before
        return None

    def _details(self):
        reason, properties = None, []
        while True:
            self._parse_rfc5322_cfws()
            if not self._parse_text or self._parse_text.startswith(";"):
                return reason, properties
            found = self._parse_reasonspec()
            if found is not None:
                reason = found
                continue
            found = self._parse_propspec()
            if not found:
                raise authres.core.SyntaxError("property", self._parse_text)
            properties.append(found)

    def _parse_resinfo(self):
        if not self._mended("members") and not self._mended("strict"):
            return super()._parse_resinfo()
        self._parse_rfc5322_cfws()
        if not self._parse_pattern(";"):
            return None
        self._parse_rfc5322_cfws()
        if self._mended("members"):
            if not self._parse_text or self._parse_text.startswith(";"):
                return self.EMPTY
            before = self._parse_text
            if self._parse_pattern(r"none(?![A-Za-z0-9_-])"):
                self._parse_rfc5322_cfws()
                if not self._parse_text:
                    return self.NONE_RESULT
            self._parse_text = before
        elif self._parse_pattern("none"):
            return self.NONE_RESULT
        if not self._mended("strict"):
            self._parse_text = ";" + self._parse_text
            return super()._parse_resinfo()
        method, version, result = self._parse_methodspec()
        reason, properties = self._details()
        found = self.feature_context.result(method, version, result, None, reason, None, properties)
        if self._mended("value"):
            found.reason = reason
        return found

    EMPTY = authres.core.NoneAuthenticationResult()

    def _parse(self):
        if not self._mended("members"):
            return super()._parse()
        self.authserv_id = self._parse_authserv_id()
        if not self.authserv_id:
            raise authres.core.SyntaxError("authserv-id", self._parse_text)
        self._parse_rfc5322_cfws()
        if self._parse_version() not in (None, "1"):
            raise authres.core.SyntaxError("version", self._parse_text)
        self._parse_rfc5322_cfws()
        if not self._parse_text.startswith(";"):
            raise authres.core.SyntaxError("results", self._parse_text)
        self.results = []
        while (result := self._parse_resinfo()) is not None:
            if result is self.NONE_RESULT:
                if self.results:
                    raise authres.core.SyntaxError("none", self._parse_text)
            elif result is not self.EMPTY:
                self.results.append(result)
        self._parse_rfc5322_cfws()
        self._parse_end()


def reading(header):
    """What a reader found: (id, [(method, version, result, reason, [(ptype, property, value)])])."""
    statements = [(r.method, int(r.version or 1), r.result.lower(), r.reason or "",
                   [(p.type, p.name, p.value or "") for p in r.properties])
                  for r in header.results if not isinstance(r, authres.core.NoneAuthenticationResult)]
    return header.authserv_id.lower().replace("\0", ""), statements


def read(text, mends=frozenset()):
    """What python3-authres, with these places mended, reads in an unfolded value; None when it refuses it."""
    reader = type("Mended", (Reader,), {"mends": mends}) if mends else authres.core.AuthenticationResultsHeader
    try:
        if "space" in mends:
            return reading(reader.parse_value(CONTEXT, text))
        return reading(reader.parse(CONTEXT, "Authentication-Results:" + text))
    except (authres.core.AuthResError, RecursionError, AttributeError, ValueError):
        return None


def reason(ours, text):
    """The places to mend so that both agree, as few as are needed; None when that does not help."""
    mends = set(PLACES)
    if read(text, frozenset(mends)) != ours:
        return None
    for place in PLACES:
        if len(mends) > 1 and read(text, frozenset(mends - {place})) == ours:
            mends.discard(place)
    return mends.pop() if len(mends) == 1 else "several"
