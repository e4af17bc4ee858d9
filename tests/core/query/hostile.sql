-- One attack a line: each must be refused by the connection that `racelog.connect()` gives, whoever sends it.
-- {out} is a path outside, {cache} a cached file of a race, {log} a race's log.
copy marks to '{out}'
copy marks to '{out}' (use_tmp_file false)
copy (select 1) to '{out}' (format parquet)
copy (select 1) to '{cache}' (format parquet)
copy (select 1) to '{cache}' (format parquet, use_tmp_file false)
copy (select 1) to 'racelog://{name}' (format parquet)
copy (select 1) to 'racelog://{name}' (format parquet, use_tmp_file false)
copy (select 1) to 'racelog://new.parquet'
copy (select 1) to 'racelog://../../x.parquet' (use_tmp_file false)
copy (select 1 as a) to 'racelog://x' (format parquet, partition_by (a), overwrite)
copy tokens from '{out}'
copy tokens from '/dev/stdin'
copy from database catalog to other
export database '{out}'
import database '{out}'
attach '{out}' as other
attach '{out}' (type sqlite)
attach 'racelog://{name}' as other
attach '{cache}' as other (read_only)
from read_csv('/etc/passwd')
from '/etc/passwd'
from read_text('/etc/passwd')
from read_blob('{log}')
from read_parquet('{cache}')
from read_json('/proc/self/environ')
from read_parquet('racelog://../entry.json')
from glob('/etc/*')
from read_csv('https://127.0.0.1:1/x.csv')
from read_parquet('s3://bucket/x.parquet')
from read_csv_auto('/dev/stdin')
from sniff_csv('/etc/passwd')
from parquet_metadata('{cache}')
from query('copy marks to ''{out}''')
from query_table('/etc/passwd')
install httpfs
install httpfs from community
load httpfs
load '{out}'
force install sqlite
set enable_external_access = true
set lock_configuration = false
set allowed_directories = ['/']
set allowed_paths = ['/etc/passwd']
set temp_directory = '{out}'
set extension_directory = '{out}'
set log_query_path = '{out}'
set home_directory = '/'
reset temp_directory
pragma enable_profiling = 'json'
pragma profiling_output = '{out}'
create secret leak (type s3, key_id 'a', secret 'b')
create persistent secret leak (type s3, key_id 'a', secret 'b')
insert into requests (race_id) values ('forged')
insert into marks values ('r', 1, 'l', 'user')
update requests set ttft_ms = 0
delete from lanes
truncate tokens
drop view tokens
drop table races
drop schema live cascade
alter table races add column x int
alter view tokens rename to stolen
create table mine(a int)
create or replace view tokens as select 1
create or replace macro median(x) as 0
create type mood as enum ('a')
create sequence s
create index i on races(race_id)
comment on table races is 'x'
use memory
with gone as (delete from lanes returning *) select * from gone
select getenv('HOME')
from secret_of_the_caller
