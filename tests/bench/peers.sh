#!/usr/bin/env bash
# Loads one graph into this store, Virtuoso and Fuseki, and asks all the same queries, interleaved in one run:
#
#   tests/bench/peers.sh PEERS GRAPH QUERIES [ARGUMENT ...]
#
# PEERS    a folder with `start.sh KIND DATA PORT [SQL_PORT]`, which starts a server and waits until it answers, and
#          `stop.sh DATA`
# GRAPH    a file of N-Triples; QUERIES a folder of .rq files
# ARGUMENT what the benchmark takes as well: more endpoints (NAME=URL), --rounds N, --clients N --seconds S, --svg FILE
#
# WORK names the folder for all data (a temporary one that is removed unless it is given), PORT the first of four ports.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,11p' "$0"; exit 2; }
peers=$(realpath "$1") graph=$(realpath "$2") queries=$(realpath "$3"); shift 3
cd "$(dirname "$0")/../.."
port=${PORT:-7960}
virtuoso=$((port + 1)) sql=$((port + 2)) fuseki=$((port + 3))
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"

cargo build --release
cargo build --release --bench peers

stop() {
  [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
  "$peers/stop.sh" "$work/virtuoso" || true
  "$peers/stop.sh" "$work/fuseki" || true
  [ -n "${WORK:-}" ] || rm -rf "$work"
}
trap stop EXIT

"$peers/start.sh" virtuoso "$work/virtuoso" "$virtuoso" "$sql"
if [ ! -e "$work/virtuoso/loaded" ]; then
  cp "$graph" "$work/virtuoso/graph.nt"
  isql-vt "$sql" dba dba exec="ld_dir('$work/virtuoso','graph.nt','urn:graph'); rdf_loader_run(); DB.DBA.VT_INC_INDEX_DB_DBA_RDF_OBJ(); checkpoint;"
  touch "$work/virtuoso/loaded"
fi
"$peers/start.sh" fuseki "$work/fuseki" "$fuseki"
if [ ! -e "$work/fuseki/loaded" ]; then
  curl -sSf -T "$graph" -H 'Content-Type: application/n-triples' "http://127.0.0.1:$fuseki/ds/data?default"
  touch "$work/fuseki/loaded"
fi
if [ ! -e "$work/insites" ]; then
  target/release/insites import --data "$work/insites" --shapes off --embedding-threads 0 "$graph"
fi
# Vectors would be made beside the queries.
target/release/insites serve --data "$work/insites" --embedding-threads 0 --listen "127.0.0.1:$port" 2>"$work/insites.log" &
server=$!
until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do
  kill -0 "$server" || { tail "$work/insites.log" >&2; exit 1; }
  sleep 0.2
done

cargo bench --quiet --bench peers -- "$queries" "insites=http://127.0.0.1:$port/sparql" \
  "virtuoso=http://127.0.0.1:$virtuoso/sparql" "fuseki=http://127.0.0.1:$fuseki/ds/sparql" "$@"
