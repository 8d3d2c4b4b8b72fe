//! A PostgreSQL server that comes back as another one, which lacks the last commits, while a call connects to it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex};
use std::{io, thread};

use trailkeeper_domain::Error;
use trailkeeper_domain::event::Event;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{TempDatabase, all_events, event, open_store, run_on_postgres, user_id};

/// A relay to a server. While it is closed, new connections wait in it.
struct Gate {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    closed: bool,
    waiting: usize,
}

impl Gate {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = Arc::clone(&gate.state);
        // Accepts until the test's process ends.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, state) = (client.unwrap(), Arc::clone(&state));
                thread::spawn(move || {
                    pass(&state);
                    relay(&client, &TcpStream::connect(server).unwrap());
                });
            }
        });
        gate
    }

    fn set_closed(&self, closed: bool) {
        self.state.0.lock().unwrap().closed = closed;
        self.state.1.notify_all();
    }

    fn wait_for_a_connection(&self) {
        let state = self.state.0.lock().unwrap();
        drop(self.state.1.wait_while(state, |state| state.waiting == 0).unwrap());
    }
}

/// Waits until the gate is open.
fn pass((state, changed): &(Mutex<State>, Condvar)) {
    let mut state = state.lock().unwrap();
    state.waiting += 1;
    changed.notify_all();
    changed.wait_while(state, |state| state.closed).unwrap().waiting -= 1;
}

/// Copies both directions until one side ends the connection.
fn relay(client: &TcpStream, server: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        // A connection that breaks ends like one that is closed.
        let _ended = io::copy(&mut from, &mut to);
        for side in [from, to] {
            let _closed = side.shutdown(Shutdown::Both);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(client, server));
        copy(server, client);
    });
}

/// Host and port of a URL, and the name of its database.
fn parts(url: &str) -> (&str, &str) {
    let (front, name) = url.split('?').next().unwrap().rsplit_once('/').unwrap();
    let server = front.split("//").nth(1).unwrap();
    (server.rsplit('@').next().unwrap(), name)
}

fn event_of(number: u128, user: &str) -> Event {
    Event { user_id: Some(user_id(user)), ..event(number) }
}

#[test]
fn a_call_that_connects_to_another_server_does_not_use_the_names_of_the_old_one() {
    let [old, new, admin] = [(); 3].map(|()| TempDatabase::postgres());
    // Both databases give the same number to another name.
    drop(open_store!(new).writing(|tx| tx.insert_events(&[event_of(1, "bob")])).unwrap());
    let (server, name) = parts(old.url());
    let gate = Gate::before(server.to_socket_addrs().unwrap().next().unwrap());
    let url = DatabaseUrl::parse(&old.url().replace(server, &gate.address.to_string())).unwrap();
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    store.writing(|tx| tx.insert_events(&[event_of(2, "ann")])).unwrap();

    thread::scope(|scope| {
        let mut writer = None;
        let outcome = store.reading(|tx| {
            tx.events(&all_events(), None, 10)?;
            // The only connection is in use, so the writer opens another one.
            gate.set_closed(true);
            writer = Some(scope.spawn(|| store.writing(|tx| tx.insert_events(&[event_of(3, "ann")]))));
            gate.wait_for_a_connection();
            for database in [&old, &new] {
                database.end_connections();
            }
            run_on_postgres(admin.url(), &format!("ALTER DATABASE {name} RENAME TO {name}_gone"));
            run_on_postgres(admin.url(), &format!("ALTER DATABASE {} RENAME TO {name}", parts(new.url()).1));
            tx.events(&all_events(), None, 10).map(drop)
        });
        assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
        gate.set_closed(false);
        assert_eq!(writer.unwrap().join().unwrap().unwrap(), [true]);
    });

    let stored = store.reading(|tx| tx.events(&all_events(), None, 10)).unwrap();
    let mut users: Vec<_> = stored.into_iter().map(|stored| (stored.event.id, stored.event.user_id.unwrap())).collect();
    users.sort_unstable();
    let expected = [event_of(1, "bob"), event_of(3, "ann")];
    assert_eq!(users, expected.map(|event| (event.id, event.user_id.unwrap())));
    run_on_postgres(admin.url(), &format!("DROP DATABASE {name}_gone"));
}
