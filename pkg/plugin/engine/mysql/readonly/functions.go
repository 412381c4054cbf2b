package readonly

import "strings"

// Server is what a server's functions depend on.
type Server struct {
	MariaDB             bool
	Major, Minor, Patch int
}

// since is the version of a product from which on a function is built in. The zero value is: in all versions that are still met, MySQL 5.7
// and MariaDB 10.3.
type since [3]int

// never is later than any version.
var never = since{9999}

func (s since) has(v Server) bool {
	for i, n := range []int{v.Major, v.Minor, v.Patch} {
		if n != s[i] {
			return n > s[i]
		}
	}
	return true
}

// builtIn is where a function that only reads is built in.
type builtIn struct {
	mysql, mariadb since
	// gone is the version of MySQL that has it no longer; the zero value is none.
	gone since
}

func (b builtIn) in(v Server) bool {
	if v.MariaDB {
		return b.mariadb.has(v)
	}
	return b.mysql.has(v) && (b.gone == since{} || !b.gone.has(v))
}

// families are the built-in functions that neither write nor wait nor read files, by where there are such functions. A server on which one
// is not built in could have a stored or loadable function of that name: there it is an unknown one. Sources: the manuals of MySQL 5.7, 8.0,
// 8.4 and 9, and of MariaDB; that they are built in TestMySQLFunctions asks real servers.
var families = []struct {
	builtIn
	names string
}{
	{builtIn{}, `ABS ACOS ADDDATE ADDTIME AES_DECRYPT AES_ENCRYPT ASCII ASIN ATAN ATAN2 AVG BIN BIT_AND BIT_COUNT BIT_LENGTH BIT_OR BIT_XOR
		CAST CEIL CEILING CHAR CHARACTER_LENGTH CHARSET CHAR_LENGTH COALESCE COERCIBILITY COLLATION COMPRESS CONCAT CONCAT_WS CONNECTION_ID
		CONV CONVERT CONVERT_TZ COS COT COUNT CRC32 CURDATE CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURTIME DATABASE DATE
		DATEDIFF DATE_ADD DATE_FORMAT DATE_SUB DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DEGREES ELT EXP EXPORT_SET EXTRACT
		EXTRACTVALUE FIELD FIND_IN_SET FLOOR FORMAT FOUND_ROWS FROM_BASE64 FROM_DAYS FROM_UNIXTIME GET_FORMAT GREATEST GROUP_CONCAT HEX HOUR
		IF IFNULL INET6_ATON INET6_NTOA INET_ATON INET_NTOA INSERT INSTR INTERVAL IS_FREE_LOCK IS_IPV4 IS_IPV4_COMPAT IS_IPV4_MAPPED IS_IPV6
		IS_USED_LOCK ISNULL JSON_ARRAY JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_CONTAINS JSON_CONTAINS_PATH JSON_DEPTH
		JSON_EXTRACT JSON_INSERT JSON_KEYS JSON_LENGTH JSON_MERGE JSON_OBJECT 		JSON_QUOTE JSON_REMOVE JSON_REPLACE JSON_SEARCH JSON_SET JSON_TYPE JSON_UNQUOTE JSON_VALID LAST_DAY LAST_INSERT_ID
		LCASE LEAST LEFT LENGTH LN LOCALTIME LOCALTIMESTAMP LOCATE LOG LOG10 LOG2 LOWER LPAD LTRIM MAKEDATE MAKETIME MAKE_SET MATCH MAX
		MICROSECOND MID MIN MINUTE MOD MONTH MONTHNAME NAME_CONST NOW NULLIF OCT OCTET_LENGTH ORD PERIOD_ADD PERIOD_DIFF PI 		POSITION POW POWER QUARTER QUOTE RADIANS RAND REPEAT REPLACE REVERSE RIGHT ROUND ROW_COUNT RPAD RTRIM SCHEMA SECOND
		SEC_TO_TIME SESSION_USER SHA2 SIGN SIN SOUNDEX SPACE SQRT STD STDDEV STDDEV_POP STDDEV_SAMP STRCMP STR_TO_DATE SUBDATE
		SUBSTR SUBSTRING SUBSTRING_INDEX SUBTIME SUM SYSDATE SYSTEM_USER TAN TIME TIMEDIFF TIMESTAMP TIMESTAMPADD TIMESTAMPDIFF TIME_FORMAT
		TIME_TO_SEC TO_BASE64 TO_DAYS TO_SECONDS TRIM TRUNCATE UCASE UNCOMPRESS UNCOMPRESSED_LENGTH UNHEX UNIX_TIMESTAMP UPDATEXML UPPER
		USER UTC_DATE UTC_TIME UTC_TIMESTAMP UUID VALUES VARIANCE VAR_POP VAR_SAMP VERSION WEEK WEEKDAY WEEKOFYEAR WEIGHT_STRING YEAR
		YEARWEEK 		ST_AREA ST_ASBINARY ST_ASGEOJSON ST_ASTEXT ST_ASWKB ST_ASWKT ST_BUFFER ST_CENTROID ST_CONTAINS ST_CONVEXHULL ST_CROSSES
		ST_DIFFERENCE ST_DIMENSION ST_DISJOINT ST_DISTANCE ST_ENDPOINT ST_ENVELOPE ST_EQUALS ST_EXTERIORRING ST_GEOMCOLLFROMTEXT
		ST_GEOMETRYFROMTEXT ST_GEOMETRYN ST_GEOMETRYTYPE ST_GEOMFROMGEOJSON ST_GEOMFROMTEXT ST_GEOMFROMWKB ST_INTERIORRINGN ST_INTERSECTION
		ST_INTERSECTS ST_ISCLOSED ST_ISEMPTY ST_ISSIMPLE ST_LENGTH ST_LINEFROMTEXT ST_NUMGEOMETRIES ST_NUMINTERIORRINGS ST_NUMPOINTS
		ST_OVERLAPS ST_POINTFROMTEXT ST_POINTN ST_POLYFROMTEXT ST_SRID ST_STARTPOINT ST_SYMDIFFERENCE ST_TOUCHES ST_UNION ST_WITHIN ST_X
		ST_Y MBRCONTAINS MBRINTERSECTS MBROVERLAPS MBRTOUCHES MBRWITHIN MBRDISJOINT`},
	{builtIn{mariadb: since{12, 0, 1}}, `JSON_STORAGE_SIZE`},
	{builtIn{mariadb: never}, `ANY_VALUE GTID_SUBSET GTID_SUBTRACT ST_DISTANCE_SPHERE ST_GEOHASH ST_ISVALID ST_LATFROMGEOHASH
		ST_LONGFROMGEOHASH ST_POINTFROMGEOHASH ST_SIMPLIFY ST_VALIDATE MBRCOVERS MBRCOVEREDBY`},
	{builtIn{mysql: since{8, 0, 11}}, `CUME_DIST CURRENT_ROLE DENSE_RANK FIRST_VALUE LAG LAST_VALUE LEAD NTH_VALUE NTILE PERCENT_RANK RANK ROW_NUMBER`},
	{builtIn{mysql: since{8, 0, 21}}, `JSON_VALUE`},
	{builtIn{mysql: since{5, 7, 22}, mariadb: since{10, 5}}, `JSON_ARRAYAGG JSON_OBJECTAGG`},
	{builtIn{gone: since{9, 6}}, `MD5 SHA SHA1`},
	{builtIn{gone: since{8}}, `MBREQUAL`},
	// In MariaDB a stored function can have these names.
	{builtIn{mariadb: never}, `GEOMETRYCOLLECTION LINESTRING MULTILINESTRING MULTIPOINT MULTIPOLYGON POINT POLYGON`},
	{builtIn{mysql: since{5, 7, 22}}, `JSON_MERGE_PATCH JSON_MERGE_PRESERVE`},
	{builtIn{mariadb: since{10, 10, 3}}, `JSON_PRETTY`},
	{builtIn{mariadb: since{10, 10}}, `RANDOM_BYTES`},
	{builtIn{mysql: since{8, 0, 11}, mariadb: since{10, 6}}, `JSON_TABLE`},
	{builtIn{mysql: since{8, 0, 11}, mariadb: since{10, 5}}, `REGEXP_INSTR REGEXP_REPLACE REGEXP_SUBSTR`},
	{builtIn{mysql: since{8, 0, 17}, mariadb: since{10, 9}}, `JSON_OVERLAPS`},
	{builtIn{mysql: since{8, 0, 17}, mariadb: since{11, 1}}, `JSON_SCHEMA_VALID`},
	{builtIn{mysql: since{8, 0, 11}, mariadb: never}, `BIN_TO_UUID FORMAT_BYTES FORMAT_PICO_TIME GROUPING ICU_VERSION IS_UUID
		JSON_STORAGE_FREE PS_CURRENT_THREAD_ID PS_THREAD_ID REGEXP_LIKE ROLES_GRAPHML ST_LATITUDE ST_LONGITUDE ST_SWAPXY
		ST_TRANSFORM STATEMENT_DIGEST STATEMENT_DIGEST_TEXT UUID_TO_BIN`},
	{builtIn{mysql: since{8, 0, 17}, mariadb: never}, `JSON_SCHEMA_VALIDATION_REPORT`},
	{builtIn{mysql: since{8, 0, 24}, mariadb: never}, `ST_COLLECT ST_FRECHETDISTANCE ST_HAUSDORFFDISTANCE ST_LINEINTERPOLATEPOINT
		ST_LINEINTERPOLATEPOINTS ST_POINTATDISTANCE`},
	{builtIn{mysql: since{9}, mariadb: never}, `FROM_VECTOR STRING_TO_VECTOR TO_VECTOR VECTOR_DIM VECTOR_TO_STRING`},
	{builtIn{mysql: never}, `COLUMN_CHECK COLUMN_EXISTS COLUMN_GET COLUMN_JSON COLUMN_LIST JSON_COMPACT JSON_DETAILED JSON_EXISTS
		JSON_LOOSE JSON_QUERY LENGTHB MEDIAN NVL NVL2 PERCENTILE_CONT PERCENTILE_DISC CHR ST_BOUNDARY ST_ISRING ST_POINTONSURFACE ST_RELATE`},
	{builtIn{mysql: never, mariadb: since{10, 6, 1}}, `ADD_MONTHS ROWNUM SYS_GUID TO_CHAR`},
	{builtIn{mysql: never, mariadb: since{10, 7, 1}}, `JSON_EQUALS JSON_NORMALIZE NATURAL_SORT_KEY SFORMAT`},
	{builtIn{mysql: never, mariadb: since{10, 8, 1}}, `CRC32C`},
	{builtIn{mysql: never, mariadb: since{11, 2, 1}}, `JSON_ARRAY_INTERSECT JSON_KEY_VALUE JSON_OBJECT_FILTER_KEYS JSON_OBJECT_TO_ARRAY`},
	{builtIn{mysql: never, mariadb: since{11, 3, 1}}, `KDF`},
	{builtIn{mysql: never, mariadb: since{11, 7, 1}}, `FORMAT_BYTES VEC_DISTANCE_COSINE VEC_DISTANCE_EUCLIDEAN VEC_FROMTEXT VEC_TOTEXT`},
}

// functions are those of the families by name.
var functions = func() map[string]builtIn {
	m := map[string]builtIn{}
	for _, f := range families {
		for _, name := range strings.Fields(f.names) {
			m[name] = f.builtIn
		}
	}
	return m
}()

// Functions are the names of the built-in functions that are allowed on a server.
func Functions(v Server) []string {
	var list []string
	for name, b := range functions {
		if b.in(v) {
			list = append(list, name)
		}
	}
	return list
}

// refused are functions that write, wait, or read files. They are refused also where functions are allowed that are not known.
var refused = map[string]string{
	"BENCHMARK":           "keeps the server busy",
	"SLEEP":               "waits",
	"DEFAULT":             "evaluates a column's default, which may change a sequence",
	"GET_LOCK":            "takes a lock that others wait for",
	"RELEASE_LOCK":        "releases locks",
	"RELEASE_ALL_LOCKS":   "releases locks",
	"LOAD_FILE":           "reads files of the server's machine",
	"MASTER_POS_WAIT":     "waits",
	"SOURCE_POS_WAIT":     "waits",
	"MASTER_GTID_WAIT":    "waits",
	"NEXTVAL":             "changes a sequence",
	"SETVAL":              "changes a sequence",
	"LASTVAL":             "belongs to sequences, which only writers use",
	"UUID_SHORT":          "advances a counter of the server",
	"BINLOG_GTID_POS":     "reads whole files of the server's machine",
	"BINLOG_GTID_POS_OLD": "reads whole files of the server's machine",

	"WAIT_FOR_EXECUTED_GTID_SET":        "waits",
	"WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS": "waits",
	"WSREP_SYNC_WAIT_UPTO_GTID":         "waits",
}

// refusedFamilies are names of loadable functions by what they begin with.
var refusedFamilies = []struct{ prefix, why string }{
	{"GROUP_REPLICATION_", "changes the group"},
	{"ASYNCHRONOUS_CONNECTION_FAILOVER_", "changes where replicas replicate from"},
	{"KEYRING_", "reads and changes keys"},
	{"AUDIT_", "changes the audit log"},
	{"MYSQL_FIREWALL_", "changes the firewall"},
	{"MYSQLX_", "changes the X plugin"},
	{"VERSION_TOKENS_", "changes version tokens"},
	{"SERVICE_GET_", "takes locks"},
	{"SERVICE_RELEASE_", "releases locks"},
	{"SPIDER_", "runs statements on other servers"},
}

func whyRefused(name string) string {
	name = upper(name)
	if why := refused[name]; why != "" {
		return why
	}
	for _, f := range refusedFamilies {
		if strings.HasPrefix(name, f.prefix) {
			return f.why
		}
	}
	return ""
}

// ownFunctions are the stored functions of the schema sys that only read. They come with the server, and the server's own account defines
// them: an account that could put another in their place could do anything else too.
var ownFunctions = strings.Fields(`extract_schema_from_file_name extract_table_from_file_name format_bytes format_path format_statement format_time
	list_add list_drop ps_is_account_enabled ps_is_consumer_enabled ps_is_instrument_default_enabled ps_is_instrument_default_timed
	ps_is_thread_instrumented ps_thread_account ps_thread_id ps_thread_stack ps_thread_trx_info quote_identifier sys_get_config
	version_major version_minor version_patch`)
