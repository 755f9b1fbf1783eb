package funcs

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func network() map[string]function.Function {
	return map[string]function.Function{
		"cidrhost": cidrHost(), "cidrnetmask": cidrNetmask(), "cidrsubnet": cidrSubnet(), "cidrsubnets": cidrSubnets(),
	}
}

func prefixOf(v cty.Value) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(v.AsString())
	if err != nil {
		return p, fmt.Errorf("%q is no address range such as 10.0.0.0/16", v.AsString())
	}
	return p.Masked(), nil
}

func whole(v cty.Value) (*big.Int, error) {
	n, accuracy := v.AsBigFloat().Int(nil)
	if n == nil || accuracy != big.Exact || n.BitLen() > 128 {
		return nil, errors.New("it must be a whole number")
	}
	return n, nil
}

// addTo is the address n after p's first.
func addTo(p netip.Prefix, n *big.Int) netip.Addr {
	bytes := p.Addr().AsSlice()
	sum := new(big.Int).Add(new(big.Int).SetBytes(bytes), n)
	addr, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, len(bytes))))
	return addr
}

// cidrHost numbers the addresses of a range, from the end with a negative number.
func cidrHost() function.Function {
	return ofNetwork([]function.Parameter{param("prefix", cty.String), param("hostnum", cty.Number)}, func(args []cty.Value) (string, error) {
		p, err := prefixOf(args[0])
		if err != nil {
			return "", err
		}
		n, err := whole(args[1])
		if err != nil {
			return "", err
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
		if n.Sign() < 0 {
			n = new(big.Int).Add(size, n)
		}
		if n.Sign() < 0 || n.Cmp(size) >= 0 {
			return "", fmt.Errorf("%s has only %s addresses", p, size)
		}
		return addTo(p, n).String(), nil
	})
}

func cidrNetmask() function.Function {
	return ofNetwork([]function.Parameter{param("prefix", cty.String)}, func(args []cty.Value) (string, error) {
		p, err := prefixOf(args[0])
		if err != nil {
			return "", err
		}
		if !p.Addr().Is4() {
			return "", errors.New("only IPv4 ranges have a netmask")
		}
		mask := uint32(0)
		if p.Bits() > 0 {
			mask = ^uint32(0) << (32 - p.Bits())
		}
		return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String(), nil
	})
}

// subnet is number n of the ranges that are longer than p by bits.
func subnet(p netip.Prefix, bits int, n *big.Int) (netip.Prefix, error) {
	length := p.Bits() + bits
	switch {
	case bits < 0 || length > p.Addr().BitLen():
		return p, fmt.Errorf("%s cannot be divided by %d more bits", p, bits)
	case n.Sign() < 0 || n.BitLen() > bits:
		return p, fmt.Errorf("%d more bits do not number %s ranges", bits, n)
	}
	offset := new(big.Int).Lsh(n, uint(p.Addr().BitLen()-length))
	return netip.PrefixFrom(addTo(p, offset), length), nil
}

func cidrSubnet() function.Function {
	params := []function.Parameter{param("prefix", cty.String), param("newbits", cty.Number), param("netnum", cty.Number)}
	return ofNetwork(params, func(args []cty.Value) (string, error) {
		p, err := prefixOf(args[0])
		if err != nil {
			return "", err
		}
		bits, err := whole(args[1])
		if err != nil {
			return "", err
		}
		n, err := whole(args[2])
		if err != nil {
			return "", err
		}
		if !bits.IsInt64() || bits.Int64() > 128 || bits.Int64() < 0 {
			return "", fmt.Errorf("%s cannot be divided by %s more bits", p, bits)
		}
		out, err := subnet(p, int(bits.Int64()), n)
		return out.String(), err
	})
}

// cidrSubnets divides a range into ranges one after another, each longer by so many bits.
func cidrSubnets() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{param("prefix", cty.String)},
		VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
		Type:     function.StaticReturnType(cty.List(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			p, err := prefixOf(args[0])
			if err != nil || len(args) == 1 {
				return cty.ListValEmpty(cty.String), err
			}
			next := new(big.Int) // addresses that are taken
			var all []cty.Value
			for _, a := range args[1:] {
				bits, err := whole(a)
				if err != nil {
					return cty.NilVal, err
				}
				host := int64(p.Addr().BitLen()-p.Bits()) - bits.Int64()
				if bits.Sign() <= 0 || host < 0 {
					return cty.NilVal, fmt.Errorf("%s cannot be divided by %s more bits", p, bits)
				}
				size := new(big.Int).Lsh(big.NewInt(1), uint(host))
				number := new(big.Int).Div(new(big.Int).Add(next, new(big.Int).Sub(size, big.NewInt(1))), size)
				s, err := subnet(p, int(bits.Int64()), number)
				if err != nil {
					return cty.NilVal, fmt.Errorf("%s has no room for so many ranges", p)
				}
				next = new(big.Int).Mul(new(big.Int).Add(number, big.NewInt(1)), size)
				all = append(all, cty.StringVal(s.String()))
			}
			return cty.ListVal(all), nil
		},
	})
}

func ofNetwork(params []function.Parameter, do func([]cty.Value) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: params, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := do(args)
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			return cty.StringVal(text), nil
		},
	})
}
