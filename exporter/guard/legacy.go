package guard

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// legacyIPv4 reads an IPv4 address in the forms of inet_aton, which system resolvers
// and browsers accept: 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1. The last
// part fills all remaining bytes.
func legacyIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var whole uint64
	for i, part := range parts {
		n, ok := legacyNumber(part)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		whole = whole<<bits | n
	}
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], uint32(whole))
	return netip.AddrFrom4(four), true
}

func legacyNumber(text string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(text, "0x"):
		base, text = 16, text[2:]
		if text == "" { // as in browsers
			return 0, true
		}
	case len(text) > 1 && text[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(text, base, 32)
	return n, err == nil
}
