package cache

import "math/bits"

// CRC-32 (IEEE) of a concatenation, from the CRCs of its two parts and the length of the second. In the ring of polynomials over GF(2) modulo
// the CRC's own, appending n bytes multiplies by x^(8n): that is all there is to it. Polynomials are bit-reversed, as the CRC is: x^0 is the top bit.

const polynomial = 0xedb88320

// squares[k] is x^(2^k) modulo the polynomial.
var squares = func() (s [64]uint32) {
	s[0] = 1 << 30
	for k := 1; k < len(s); k++ {
		s[k] = multiply(s[k-1], s[k-1])
	}
	return s
}()

// multiply answers a·b modulo the polynomial.
func multiply(a, b uint32) uint32 {
	var p uint32
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			p ^= b
		}
		b = b>>1 ^ polynomial&-(b&1)
	}
	return p
}

// combine answers the CRC of AB from those of A and of B, which has n bytes.
func combine(a, b uint32, n int64) uint32 {
	for e := uint64(n) * 8; e != 0; e &= e - 1 {
		a = multiply(a, squares[bits.TrailingZeros64(e)])
	}
	return a ^ b
}
