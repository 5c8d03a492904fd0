/**
 * The tables of the SQLite store. Every name begins with `mailfuse_`, which another prefix replaces.
 *
 * @module
 */

/** Grows with every change of the tables below. */
export const schemaVersion = 1;

/**
 * - `state`: one row. `seq` and `at` are the newest ledger line's number and time; `presented` is the
 *   highest number presented since data was found lost, 0 when all is well.
 * - `reservation`: `spent` names what a refusal gives back, `settled` is the number of the outcome's line.
 * - `window`: `used` equals the number of its `person` rows; no row of it is older than `oldest`; all are
 *   worthless at `until`.
 * - `person`: counted at `at` by the reservation numbered `last`, which brought the person in if `fresh`.
 *   One person's windows stand together: a mail spends several caps, and writes one page for them.
 * - `rate`: one row per reservation and key.
 * - `address`: sealed addresses of people who were reached, by bucket.
 * - `entry`: apart from `sealed`, so that a change of state does not rewrite the bytes.
 */
export const CREATE_TABLES = `
CREATE TABLE IF NOT EXISTS mailfuse_state (
  id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,
  seq INTEGER NOT NULL, at INTEGER NOT NULL, presented INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mailfuse_ledger (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mailfuse_reservation (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, spent TEXT NOT NULL,
  settled INTEGER, fate TEXT, message_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_window (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
  used INTEGER NOT NULL, oldest INTEGER NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mailfuse_person (
  window INTEGER NOT NULL, person TEXT NOT NULL, at INTEGER NOT NULL, last INTEGER NOT NULL, fresh INTEGER NOT NULL,
  PRIMARY KEY (person, window)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mailfuse_person_at ON mailfuse_person (window, at);
CREATE TABLE IF NOT EXISTS mailfuse_rate (
  key TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL, messages INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (key, at, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_once (
  key TEXT PRIMARY KEY, until INTEGER NOT NULL, reservation TEXT NOT NULL, state TEXT NOT NULL,
  at INTEGER NOT NULL, message_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_halt (
  scope TEXT PRIMARY KEY, reason TEXT NOT NULL, principal TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_address (
  bucket TEXT NOT NULL, person TEXT NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (bucket, person)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_plan (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, version INTEGER NOT NULL,
  record TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mailfuse_token (id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_entry (
  plan TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, until INTEGER NOT NULL,
  reservation TEXT NOT NULL, at INTEGER NOT NULL, message_id TEXT, PRIMARY KEY (plan, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mailfuse_entry_state ON mailfuse_entry (plan, state, number);
CREATE TABLE IF NOT EXISTS mailfuse_sealed (
  plan TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (plan, number));
INSERT INTO mailfuse_state (id, version, seq, at, presented) VALUES (1, ${schemaVersion}, 0, 0, 0)
  ON CONFLICT DO NOTHING;
`;

/** The version the tables were made by. */
export const READ_VERSION = "SELECT version FROM mailfuse_state WHERE id = 1";
