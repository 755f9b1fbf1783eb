package main

// nearest is the known word that a mistyped one most likely stands for, or "".
func nearest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+1 // a third of the letters may be wrong, and one
	for _, k := range known {
		if d := distance(word, k); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = k, d
		}
	}
	return best
}

// didYouMean is a question to end a message with, or "".
func didYouMean(word string, known []string, prefix string) string {
	if best := nearest(word, known); best != "" {
		return "; did you mean " + prefix + best + "?"
	}
	return ""
}

// distance counts the letters to insert, take out, replace or swap with their
// neighbour on the way from a to b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
