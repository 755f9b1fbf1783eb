package format

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// line is one line of a text as it will be: its tokens and the blanks before each.
//
// The layout is that of hclwrite, which a test holds it against; that package itself brings a comparer of Go values along,
// whose tables every command would make at its start.
type line struct {
	tokens  hclsyntax.Tokens
	blanks  []int
	equals  int  // the token that is the equals sign of an attribute, or -1
	comment int  // the token that is a comment at the end, or -1
	opens   int  // brackets that it opens, less those that it closes
	inside  bool // it begins inside a heredoc
}

// layOut writes a text in the canonical form, once.
func layOut(src []byte) []byte {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	all := cut(tokens)
	for i := range all {
		all[i].space()
	}
	indent(all)
	align(all, func(l line) int { return l.equals })
	align(all, func(l line) int { return l.comment })
	var out bytes.Buffer
	for _, l := range all {
		for i, t := range l.tokens {
			out.WriteString(strings.Repeat(" ", l.blanks[i]))
			out.Write(t.Bytes)
		}
	}
	return out.Bytes()
}

// cut makes lines of tokens. A line that a heredoc stands in ends behind it.
func cut(tokens hclsyntax.Tokens) (all []line) {
	begin, heredocs := 0, 0
	inside := false
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOHeredoc:
			heredocs++
		case hclsyntax.TokenCHeredoc:
			heredocs--
		}
		if t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && bytes.HasSuffix(t.Bytes, []byte("\n")) || i == len(tokens)-1 {
			all = append(all, newLine(tokens[begin:i+1], inside))
			begin, inside = i+1, heredocs > 0
		}
	}
	return all
}

func newLine(tokens hclsyntax.Tokens, inside bool) line {
	l := line{tokens: tokens, blanks: make([]int, len(tokens)), equals: -1, comment: -1, inside: inside}
	before := 0
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenEqual:
			if i > 0 && l.equals < 0 {
				l.equals, before = i, l.opens
			}
		case hclsyntax.TokenComment:
			if last := i == len(tokens)-1 || tokens[i+1].Type == hclsyntax.TokenEOF; i > 0 && last {
				l.comment = i
			}
		case hclsyntax.TokenEOF: // the blanks before it stay
			l.blanks[i] = t.Range.Start.Column - 1
			if i > 0 {
				l.blanks[i] = t.Range.Start.Byte - tokens[i-1].Range.End.Byte
			}
		}
		l.opens += bracket(t.Type)
	}
	if l.opens != before {
		l.equals = -1 // a value that goes on in other lines is not put below others
	}
	return l
}

// bracket is 1 for what opens, -1 for what closes.
func bracket(t hclsyntax.TokenType) int {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return 1
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		return -1
	}
	return 0
}

// indent sets the blanks that lines begin with. However much a line opens, the
// next is one step in, and what closes all of it is back again.
func indent(all []line) {
	const step = 2
	var open []int
	for i := range all {
		l := &all[i]
		level := len(open)
		if l.opens < 0 {
			for rest := -l.opens; rest > 0 && len(open) > 0; {
				last := len(open) - 1
				closed := min(rest, open[last])
				rest -= closed
				if open[last] -= closed; open[last] == 0 {
					open = open[:last]
				}
			}
			level = len(open)
		} else if l.opens > 0 {
			open = append(open, l.opens)
		}
		if first := l.tokens[0].Type; !l.inside && first != hclsyntax.TokenNewline && first != hclsyntax.TokenEOF {
			l.blanks[0] = level * step
		}
	}
}

// align puts the tokens that at names below one another, in lines that follow each other.
func align(all []line, at func(line) int) {
	for begin := 0; begin < len(all); begin++ {
		end, widest := begin, 0
		for end < len(all) && at(all[end]) >= 0 {
			widest = max(widest, all[end].width(at(all[end])))
			end++
		}
		for _, l := range all[begin:end] {
			l.blanks[at(l)] = widest - l.width(at(l)) + 1
		}
		begin = end
	}
}

// width is how many columns there are before a token.
func (l line) width(before int) (columns int) {
	for i, t := range l.tokens[:before] {
		columns += l.blanks[i] + utf8.RuneCount(t.Bytes)
	}
	return columns
}

// space sets the blanks between the tokens of a line.
func (l *line) space() {
	kind := func(i int) hclsyntax.TokenType {
		if i < 0 {
			return hclsyntax.TokenNil
		}
		return l.tokens[i].Type
	}
	for i := 1; i < len(l.tokens); i++ {
		iterates := kind(i-1) == hclsyntax.TokenIdent && string(l.tokens[i-1].Bytes) == "in" && kind(i-2) == hclsyntax.TokenIdent
		if apart(kind(i-2), kind(i-1), kind(i), iterates) {
			l.blanks[i] = 1
		}
	}
}

// apart says whether there is a blank between two tokens. first is the token
// before them; iterates: left is the in of a for expression.
func apart(first, left, right hclsyntax.TokenType, iterates bool) bool {
	switch {
	case right == hclsyntax.TokenNewline || right == hclsyntax.TokenEOF:
		return false
	case left == hclsyntax.TokenDot || right == hclsyntax.TokenDot, left == hclsyntax.TokenDoubleColon || right == hclsyntax.TokenDoubleColon:
		return false
	case right == hclsyntax.TokenComma || right == hclsyntax.TokenEllipsis:
		return false
	case left == hclsyntax.TokenComma:
		return true
	case within(left, right):
		return false
	case left == hclsyntax.TokenIdent && right == hclsyntax.TokenOParen:
		return false
	case left == hclsyntax.TokenIdent && right == hclsyntax.TokenOBrack:
		return iterates
	case right == hclsyntax.TokenOBrack && closes(left):
		return false
	case left == hclsyntax.TokenOBrack || right == hclsyntax.TokenCBrack, left == hclsyntax.TokenOParen || right == hclsyntax.TokenCParen:
		return false
	case left == hclsyntax.TokenOBrace && right == hclsyntax.TokenCBrace:
		return false
	case left == hclsyntax.TokenOBrace || right == hclsyntax.TokenCBrace:
		return true
	case left == hclsyntax.TokenTemplateInterp || left == hclsyntax.TokenTemplateControl:
		return right == hclsyntax.TokenOBrace
	case right == hclsyntax.TokenTemplateSeqEnd:
		return left == hclsyntax.TokenCBrace
	case left == hclsyntax.TokenBang:
		return false
	case left == hclsyntax.TokenMinus:
		return !negates(first)
	}
	return true
}

// within says whether a token is text of a template, whose blanks are its own.
func within(left, right hclsyntax.TokenType) bool {
	switch left {
	case hclsyntax.TokenOQuote, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateSeqEnd:
		return true
	}
	switch right {
	case hclsyntax.TokenCQuote, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenCHeredoc:
		return true
	}
	return false
}

// closes says whether what ends with a token may be indexed.
func closes(t hclsyntax.TokenType) bool {
	return t == hclsyntax.TokenCBrack || t == hclsyntax.TokenCParen || t == hclsyntax.TokenCBrace
}

// negates says whether a minus after a token is a sign, and not a difference.
func negates(before hclsyntax.TokenType) bool {
	return slices.Contains([]hclsyntax.TokenType{
		hclsyntax.TokenNil, hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenComma,
		hclsyntax.TokenEqual, hclsyntax.TokenColon, hclsyntax.TokenQuestion, hclsyntax.TokenPlus, hclsyntax.TokenMinus,
		hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenBang,
		hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
		hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
	}, before)
}
