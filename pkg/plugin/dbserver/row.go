package dbserver

import "strconv"

// Row is a row of a server's answer by its columns' names. A NULL is nil.
type Row map[string]*string

// Text is a column's value; empty for NULL and for a column that the server does not have.
func (r Row) Text(column string) string {
	if value := r[column]; value != nil {
		return *value
	}
	return ""
}

// First is the value of the first of the columns that the server has: servers have renamed many.
func (r Row) First(columns ...string) string {
	for _, column := range columns {
		if value, ok := r[column]; ok && value != nil {
			return *value
		}
	}
	return ""
}

// Int is a column's value as a number; ok is false for NULL and where there is none.
func (r Row) Int(columns ...string) (n int64, ok bool) {
	n, err := strconv.ParseInt(r.First(columns...), 10, 64)
	return n, err == nil
}

// Number is a column's value as a number that need not be whole.
func (r Row) Number(columns ...string) (n float64, ok bool) {
	n, err := strconv.ParseFloat(r.First(columns...), 64)
	return n, err == nil
}
