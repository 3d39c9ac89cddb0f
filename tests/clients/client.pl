# Perl: DBI over DBD::ODBC. usage: client.pl DSN ROWS.SQL
use strict;
use warnings;
use utf8;
use DBI;
use Encode qw(encode_utf8);
my ($dsn, $file) = @ARGV;
open(my $in, "<:encoding(UTF-8)", $file) or die; my $sql = encode_utf8(<$in>);
my $dbh = DBI->connect("dbi:ODBC:$dsn", "", "", {RaiseError => 1, PrintError => 0});
sub check { my ($name, $got, $want) = @_; die "$name: got '$got', wanted '$want'\n" if $got ne $want; }
sub text { join("|", map { defined $_ ? $_ : "undef" } @_) }

my $sth = $dbh->prepare($sql);
for my $from (2, 1) {    # prepared once, executed twice
    $sth->execute($from);
    my $all = $sth->fetchall_arrayref;
    check("rows", scalar(@$all), 4 - $from);
    check("last row", text(@{$all->[-1]}), "3|-3.25||1999-12-31|-1.0E10|undef|1970-01-01 00:00:00.000000");
}
check("names", text(@{$sth->{NAME}}), "i|n|s|d|f|b|w");
check("types", text(@{$sth->{TYPE}}), "4|3|-9|91|8|-7|93");
# Debian builds it without Unicode: text comes and goes as bytes, which are UTF-8.
my ($text) = $dbh->selectrow_array(encode_utf8("SELECT CAST('Grü' || ? AS varchar(20))"), undef, encode_utf8("ße 😀"));
check("unicode", encode_utf8("Grüße 😀"), $text);
my $tables = $dbh->table_info("mysql_catalog", "analytics_db", "sample%")->fetchall_arrayref;
check("table_info", $tables->[0][2], "sample_orders");
check("column_info", scalar(@{$dbh->column_info("mysql_catalog", "analytics_db", "sample_orders", "%")->fetchall_arrayref}), 6);
check("primary_key", text($dbh->primary_key("mysql_catalog", "analytics_db", "sample_orders")), "order_id");
eval { $dbh->selectall_arrayref("SELECT nothing FROM (VALUES 1) t(x)") };
check("state", $dbh->state, "42S22");
check("after an error", $dbh->selectrow_array("SELECT 41 + 1"), 42);
$dbh->disconnect;

# storing: arrays of values, transactions
$dbh = DBI->connect("dbi:ODBC:DSN=$dsn;Catalog=mem", "", "", {RaiseError => 1, PrintError => 0});
$dbh->do("CREATE TABLE perl_rows (id integer, text varchar(20))");
$dbh->{AutoCommit} = 0;
$sth = $dbh->prepare("INSERT INTO perl_rows VALUES (?, ?)");
check("execute_array", $sth->execute_array({}, [1 .. 50], [map { "text $_" } 1 .. 50]), 50);
check("stored", text($dbh->selectrow_array("SELECT count(*), max(id), min(text) FROM perl_rows")), "50|50|text 1");
$dbh->rollback;
check("rolled back", $dbh->selectrow_array("SELECT count(*) FROM perl_rows"), 0);
check("rows", $sth->execute(7, undef), 1);
$dbh->commit;
$dbh->{AutoCommit} = 1;
check("committed", text($dbh->selectrow_array("SELECT id, text FROM perl_rows")), "7|undef");
$dbh->do("DROP TABLE perl_rows");
$dbh->disconnect;
