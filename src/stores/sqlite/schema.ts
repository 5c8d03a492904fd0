/**
 * The tables of the SQLite store. Every name begins with `mailfuse_`, which another prefix replaces.
 *
 * @module
 */

/** Grows with every change of the tables below. */
export const schemaVersion = 2;

/**
 * - `state`: one row. `seq` and `at` are the newest ledger line's number and time; `presented` is the
 *   highest number presented since data was found lost, 0 when all is well.
 * - `reservation`: numbered as its line, so that new ones stand together; `spent` names what a refusal gives back, `settled` is the number of the outcome's line.
 * - `person`: a number for each pseudonym, which the windows know people by: small, and new ones stand together.
 * - `window`: `used` is the sum of its `leaving` rows; nobody leaves it before `first`; all are over at `until`.
 * - `counted`: a person who counts in a window until `until`, whom the last reservation brought in if `fresh`.
 *   Whose time is over is cleared away some time later.
 * - `leaving`: how many people leave a window at that moment. Moments that are over go from the oldest on.
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
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, spent TEXT NOT NULL,
  settled INTEGER, fate TEXT, message_id TEXT);
CREATE TABLE IF NOT EXISTS mailfuse_window (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
  used INTEGER NOT NULL, first INTEGER NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mailfuse_person (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS mailfuse_counted (
  person INTEGER NOT NULL, window INTEGER NOT NULL, until INTEGER NOT NULL, fresh INTEGER NOT NULL,
  PRIMARY KEY (person, window)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailfuse_leaving (
  window INTEGER NOT NULL, until INTEGER NOT NULL, people INTEGER NOT NULL, PRIMARY KEY (window, until)) WITHOUT ROWID;
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
