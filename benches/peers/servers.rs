//! The servers: how each is started, given the points, and asked.
//!
//! What surprises: PostgreSQL is asked for a box and for polygons as plane geometry, the quicker of its two ways.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nigh::collection::Item;
use tempfile::TempDir;

use crate::door::{Door, Tongue};
use crate::postgres_server::PostgresServer;
use crate::questions::{Asked, geojson};

/// A server that is running and holds the points.
pub struct Server {
    pub name: &'static str,
    pub tongue: Tongue,
    pub port: u16,
    /// The question in its words; `None` when it knows no such question.
    pub ask: fn(&Asked) -> Option<Vec<u8>>,
    /// A put of an item in its words.
    pub put: fn(&Item) -> Vec<u8>,
    /// What is said first on every connection.
    pub greetings: Vec<Vec<u8>>,
    process: Process,
    _folder: Option<TempDir>,
}

enum Process {
    Own(Child),
    /// It runs as its own user, and stops itself.
    Postgres(PostgresServer),
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Process::Own(child) = &mut self.process {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    pub fn connect(&self) -> Door {
        Door::open(self.port, self.tongue, &self.greetings)
    }

    /// Processor time so far of the server and its children.
    pub fn processor_time(&self) -> Duration {
        let process = match &self.process {
            Process::Own(child) => child.id(),
            Process::Postgres(postgres) => postgres.process(),
        };
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        children.chain([process]).map(crate::gauges::processor_time_of).sum()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// On the first core only, where that can be said: the client takes the second.
fn pinned(program: &Path) -> Command {
    let can = Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|status| status.success());
    let mut command = Command::new(if can { Path::new("taskset") } else { program });
    if can {
        command.args(["-c", "0"]).arg(program);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn wait_for(port: u16) {
    let until = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "no server on port {port}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The points as CSV: `id,lat,lon,name,category,score`.
pub fn csv(items: &[Item]) -> Vec<u8> {
    let mut out = b"id,lat,lon,name,category,score\n".to_vec();
    for item in items {
        let properties: serde_json::Value = serde_json::from_str(item.properties.as_json()).unwrap();
        let text = |name: &str| properties[name].as_str().unwrap().to_owned();
        let (lat, lon) = (item.point.lat_deg(), item.point.lon_deg());
        let (name, category) = (text("name"), text("category"));
        writeln!(out, "{},{lat},{lon},{name},{category},{}", item.id.as_str(), properties["score"]).unwrap();
    }
    out
}

fn http(method: &str, path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    if method != "GET" {
        write!(request, "content-type: {media_type}\r\ncontent-length: {}\r\n", body.len()).unwrap();
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// What is asked of nigh: ids and distances in compact JSON, all on one page.
fn ask_nigh(asked: &Asked) -> Option<Vec<u8>> {
    const TAIL: &str = "&fields=&f=json&limit=10000";
    let get = |path: String| http("GET", &format!("/collections/places/{path}{TAIL}"), "", b"");
    Some(match asked {
        Asked::Radius { centre, metres } => {
            get(format!("near?lat={}&lon={}&radius={metres}", centre.lat_deg(), centre.lon_deg()))
        }
        Asked::Nearest { centre, k } => get(format!("near?lat={}&lon={}&k={k}", centre.lat_deg(), centre.lon_deg())),
        Asked::Box { south, west, north, east } => get(format!("items?bbox={west},{south},{east},{north}")),
        Asked::Polygon { ring } => {
            let body = format!(r#"{{"within":{},"fields":[],"limit":10000}}"#, geojson(ring));
            http("POST", "/collections/places/search?f=json", "application/json", body.as_bytes())
        }
    })
}

fn put_nigh(item: &Item) -> Vec<u8> {
    let (lat, lon) = (item.point.lat_deg(), item.point.lon_deg());
    let body = format!(r#"{{"lat":{lat},"lon":{lon},"properties":{}}}"#, item.properties.as_json());
    http("PUT", &format!("/collections/places/items/{}", item.id.as_str()), "application/json", body.as_bytes())
}

/// The request that costs nothing but a request.
pub fn ask_nothing() -> Vec<u8> {
    http("GET", "/livez", "", b"")
}

/// Ours, as it is built for this bench.
pub fn nigh(items: &[Item]) -> Option<Server> {
    let (folder, port) = (crate::folder(), free_port());
    let mut command = pinned(Path::new(env!("CARGO_BIN_EXE_nigh")));
    command.args(["serve", "--no-demo", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]);
    let process = Process::Own(command.arg(folder.path().join("data")).spawn().ok()?);
    wait_for(port);
    let (tongue, greetings) = (Tongue::Http, Vec::new());
    let server =
        Server { name: "nigh", tongue, port, ask: ask_nigh, put: put_nigh, greetings, process, _folder: Some(folder) };
    thread::sleep(Duration::from_secs(1));
    let mut door = server.connect();
    door.send(&http("PUT", "/collections/places/items", "text/csv", &csv(items)));
    door.receive();
    Some(server)
}

fn words(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| write!(bytes, "${}\r\n{word}\r\n", word.len()).unwrap());
    bytes
}

/// Redis has no search for the nearest: a circle that is widened until it holds enough.
const NEAREST: &str = "local r=1000 while true do local x=redis.call('GEOSEARCH','places','FROMLONLAT',ARGV[1],ARGV[2],\
    'BYRADIUS',r,'m','ASC','COUNT',ARGV[3],'WITHDIST') if #x>=tonumber(ARGV[3]) or r>21000000 then return x end r=r*4 end";

fn ask_redis(asked: &Asked) -> Option<Vec<u8>> {
    let text = |number: f64| number.to_string();
    Some(match asked {
        Asked::Radius { centre, metres } => {
            let (lon, lat, metres) = (text(centre.lon_deg()), text(centre.lat_deg()), text(*metres));
            words(&["GEOSEARCH", "places", "FROMLONLAT", &lon, &lat, "BYRADIUS", &metres, "m", "ASC", "WITHDIST"])
        }
        Asked::Nearest { centre, k } => {
            let (lon, lat, k) = (text(centre.lon_deg()), text(centre.lat_deg()), k.to_string());
            words(&["EVAL", NEAREST, "0", &lon, &lat, &k])
        }
        Asked::Box { .. } | Asked::Polygon { .. } => return None,
    })
}

fn put_redis(item: &Item) -> Vec<u8> {
    let (lon, lat) = (item.point.lon_deg().to_string(), item.point.lat_deg().to_string());
    words(&["GEOADD", "places", &lon, &lat, item.id.as_str()])
}

/// Redis, syncing its log before it answers.
pub fn redis(items: &[Item]) -> Option<Server> {
    let (folder, port) = (crate::folder(), free_port());
    let mut command = pinned(Path::new("redis-server"));
    Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().ok()?;
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0", "--dir"]);
    let process = Process::Own(command.arg(folder.path()).spawn().ok()?);
    wait_for(port);
    let (tongue, greetings) = (Tongue::Redis, Vec::new());
    let server = Server {
        name: "Redis",
        tongue,
        port,
        ask: ask_redis,
        put: put_redis,
        greetings,
        process,
        _folder: Some(folder),
    };
    let mut door = server.connect();
    for items in items.chunks(1000) {
        door.send(&items.iter().flat_map(put_redis).collect::<Vec<u8>>());
        (0..items.len()).for_each(|_| _ = door.receive());
    }
    door.send(&words(&["CONFIG", "SET", "appendfsync", "always"]));
    door.receive();
    Some(server)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A call of a prepared statement, with binary results.
fn call(statement: &str, parameters: &[String]) -> Vec<u8> {
    let mut bind = format!("\0{statement}\0").into_bytes();
    bind.extend_from_slice(&[0, 0]);
    bind.extend_from_slice(&(parameters.len() as u16).to_be_bytes());
    for parameter in parameters {
        bind.extend_from_slice(&(parameter.len() as u32).to_be_bytes());
        bind.extend_from_slice(parameter.as_bytes());
    }
    bind.extend_from_slice(&[0, 1, 0, 1]);
    [message(b'B', &bind), message(b'E', &[0; 5]), message(b'S', &[])].concat()
}

const PLACE: &str = "ST_SetSRID(ST_MakePoint($1::float8,$2::float8),4326)";

fn statements() -> [(&'static str, String); 5] {
    let geography = format!("{PLACE}::geography");
    [
        (
            "radius",
            format!(
                "SELECT id, ST_Distance(geog,{geography}) AS d FROM places \
                 WHERE ST_DWithin(geog,{geography},$3::float8) ORDER BY d"
            ),
        ),
        ("nearest", format!("SELECT id, geog <-> {geography} AS d FROM places ORDER BY d LIMIT $3::int")),
        (
            "box",
            "SELECT id FROM places WHERE geom && ST_MakeEnvelope($1::float8,$2::float8,$3::float8,$4::float8,4326)"
                .to_owned(),
        ),
        ("polygon", "SELECT id FROM places WHERE ST_Intersects(geom, $1::text::geometry)".to_owned()),
        (
            "put",
            format!(
                "INSERT INTO places(id,geog,geom,properties) VALUES($3::bigint,{geography},{PLACE},$4::jsonb) \
                 ON CONFLICT(id) DO UPDATE SET geog=excluded.geog, geom=excluded.geom, properties=excluded.properties"
            ),
        ),
    ]
}

fn ask_postgres(asked: &Asked) -> Option<Vec<u8>> {
    Some(match asked {
        Asked::Radius { centre, metres } => {
            call("radius", &[centre.lon_deg().to_string(), centre.lat_deg().to_string(), metres.to_string()])
        }
        Asked::Nearest { centre, k } => {
            call("nearest", &[centre.lon_deg().to_string(), centre.lat_deg().to_string(), k.to_string()])
        }
        Asked::Box { south, west, north, east } => call("box", &[west, south, east, north].map(f64::to_string)),
        Asked::Polygon { ring } => {
            let corners: Vec<String> = ring.iter().map(|[lon, lat]| format!("{lon} {lat}")).collect();
            call("polygon", &[format!("SRID=4326;POLYGON(({}))", corners.join(","))])
        }
    })
}

fn put_postgres(item: &Item) -> Vec<u8> {
    let (lon, lat) = (item.point.lon_deg().to_string(), item.point.lat_deg().to_string());
    call("put", &[lon, lat, item.id.as_str().to_owned(), item.properties.as_json().to_owned()])
}

fn greetings() -> Vec<Vec<u8>> {
    let mut start = 196_608_u32.to_be_bytes().to_vec();
    for word in
        ["user", "postgres", "database", "postgres", "options", "-c jit=off -c plan_cache_mode=force_generic_plan"]
    {
        start.extend_from_slice(word.as_bytes());
        start.push(0);
    }
    start.push(0);
    let mut greeting = (start.len() as u32 + 4).to_be_bytes().to_vec();
    greeting.extend_from_slice(&start);
    let prepare = |(name, text): (&str, String)| {
        let body = [format!("{name}\0{text}\0").as_bytes(), &[0, 0]].concat();
        [message(b'P', &body), message(b'S', &[])].concat()
    };
    [greeting].into_iter().chain(statements().into_iter().map(prepare)).collect()
}

/// PostgreSQL with PostGIS, syncing before it answers.
pub fn postgis(items: &[Item]) -> Option<Server> {
    const SETTINGS: &str = "-c shared_buffers=1GB -c autovacuum=off -c max_parallel_workers_per_gather=0 \
        -c max_wal_size=8GB -c checkpoint_timeout=30min -c random_page_cost=1.1";
    let postgres = PostgresServer::start(&[], SETTINGS)?;
    let process = postgres.process().to_string();
    let _ = Command::new("taskset").args(["-a", "-p", "-c", "0", &process]).stdout(Stdio::null()).status();
    let server = Server {
        name: "PostGIS",
        tongue: Tongue::Postgres,
        port: postgres.port,
        ask: ask_postgres,
        put: put_postgres,
        greetings: greetings(),
        process: Process::Postgres(postgres),
        _folder: None,
    };
    load_postgis(&server, items)?;
    Some(server)
}

fn load_postgis(server: &Server, items: &[Item]) -> Option<()> {
    let mut door = Door::open(server.port, Tongue::Postgres, &server.greetings[..1]);
    let mut say = |text: &str| {
        door.send(&message(b'Q', format!("{text}\0").as_bytes()));
        door.receive();
    };
    say("CREATE EXTENSION IF NOT EXISTS postgis");
    say("CREATE TABLE places(id bigint, geog geography(Point,4326), geom geometry(Point,4326), properties jsonb)");
    for items in items.chunks(5000) {
        let row = |item: &Item| {
            let place = format!("ST_SetSRID(ST_MakePoint({},{}),4326)", item.point.lon_deg(), item.point.lat_deg());
            format!("({},{place}::geography,{place},'{}')", item.id.as_str(), item.properties.as_json())
        };
        let rows: Vec<String> = items.iter().map(row).collect();
        say(&format!("INSERT INTO places VALUES {}", rows.join(",")));
    }
    say("CREATE INDEX ON places USING gist(geog)");
    say("CREATE INDEX ON places USING gist(geom)");
    say("ALTER TABLE places ADD PRIMARY KEY(id)");
    say("VACUUM ANALYZE places");
    say("CHECKPOINT");
    Some(())
}
