import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { buildPackage, hasTerminal, World } from "./world";

// Every command is a process of its own, and some tests run a dozen.
vi.setConfig({ testTimeout: 120_000 });

let built: string;
const worlds: World[] = [];

beforeAll(async () => {
  built = await buildPackage();
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

async function world(files: Readonly<Record<string, string>> = {}): Promise<World> {
  const made = await new World(built, files).listen();
  worlds.push(made);
  return made;
}

const passphrase = "correct horse battery";

/** Makes an approver's key in a terminal and declares it. */
async function approver(at: World, name: string): Promise<string> {
  const file = path.join(at.directory, `${name}.key`);
  const { stdout, code, stderr } = await at.type(
    ["keys", "new", name, "--key", file],
    [
      [/Passphrase.*: /, passphrase],
      [/Once more: /, passphrase],
    ],
  );
  expect(code, stderr).toBe(0);
  const publicKey = /publicKey: "([\w-]{43})"/.exec(stdout)?.[1];
  const before = JSON.parse(at.env.APPROVERS ?? "{}") as object;
  at.env.APPROVERS = JSON.stringify({ ...before, [name]: { publicKey } });
  return file;
}

describe("usage", () => {
  it("takes an unknown flag, an unknown command, a missing argument and nothing at all as wrong usage", async () => {
    const at = await world();
    for (const args of [["status", "--jsn"], ["statuss"], ["plan", "show"], ["halt"], [], ["plan"]]) {
      const { code, stdout } = await at.run(args);
      expect([args, code, stdout]).toEqual([args, 2, ""]);
    }
  });

  it("has help with an example for every command, on stdout", async () => {
    const at = await world();
    const { stdout } = await at.run(["--help"]);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)]
      .map((match) => match[1] as string)
      .filter((name) => name !== "help");
    expect(commands).toEqual(
      expect.arrayContaining([
        "init",
        "doctor",
        "check",
        "suggest",
        "plan",
        "confirm",
        "release",
        "halt",
        "resume",
        "status",
        "ledger",
        "incident",
        "keys",
        "completion",
      ]),
    );
    for (const name of ["doctor", "check", "confirm", "release"]) {
      const help = await at.run([name, "--help"]);
      expect([help.code, help.stdout]).toEqual([0, expect.stringContaining(`$ npx mailfuse ${name}`)]);
    }
  });

  it("says which configuration is missing or wrong, and how to mend it", async () => {
    const at = await world();
    rmSync(path.join(at.directory, "mailfuse.config.mjs"));
    const missing = await at.run(["status"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("mailfuse init");
    const wrong = await world({
      "mailfuse.config.json": '{ "environments": {}, "enviroment": "x" }',
      "mailfuse.config.mjs": "",
    });
    rmSync(path.join(wrong.directory, "mailfuse.config.mjs"));
    const { code, stderr } = await wrong.run(["status"]);
    expect(code).toBe(1);
    expect(stderr).toContain("CONFIG_INVALID at enviroment");
    expect(stderr).toContain("fix: Did you mean `environment`?");
  });

  it("loads TypeScript, JavaScript and JSON, the fuse or its options", async () => {
    const options = `{ environment: "staging", environments: { staging: { mode: "test" as const, allow: ["*@acme.test"] } } }`;
    for (const [file, text] of [
      ["mailfuse.config.ts", `import { createFuse } from "mailfuse";\nexport const fuse = createFuse(${options});`],
      ["mailfuse.config.ts", `export default ${options};`],
      ["mailfuse.config.js", `export default ${options.replace(" as const", "")};`],
      [
        "mailfuse.config.json",
        '{ "environment": "staging", "environments": { "staging": { "mode": "test", "allow": ["*@acme.test"] } } }',
      ],
    ] as const) {
      const at = await world({ [file]: text });
      if (file !== "mailfuse.config.ts") rmSync(path.join(at.directory, "mailfuse.config.mjs"));
      const { code, stdout, stderr } = await at.run(["check", "ann@acme.test", "--json", "--config", file]);
      expect([file, code, stderr]).toEqual([file, 0, expect.anything()]);
      expect(JSON.parse(stdout)).toMatchObject({ environment: "staging", answers: [{ gets: "mail" }] });
    }
  });
});

describe("without a terminal", () => {
  it("keeps stdout for the answer: one JSON value, whatever the application prints", async () => {
    const at = await world();
    for (const args of [
      ["status"],
      ["doctor"],
      ["suggest"],
      ["plan", "list"],
      ["check", "a@acme.test"],
      ["halts"].slice(1).concat("resume"),
    ]) {
      const { stdout, stderr } = await at.run([...args, "--json"]);
      expect(() => JSON.parse(stdout), stdout + stderr).not.toThrow();
      expect(stderr).toContain("the application prints something");
      const human = await at.run(args);
      if (args[0] !== "suggest") expect(human.stdout).toBe("");
    }
  });

  it("halts and resumes in every process, and says what stays halted", async () => {
    const at = await world();
    expect((await at.run(["halt", "refund", "--reason", "wrong list", "--by", "dana"])).code).toBe(0);
    expect((await at.run(["halt", "refunds", "--reason", "wrong list"])).code).toBe(2);
    const { stdout } = await at.run(["status", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      halts: [{ scope: "purpose:refund", reason: "wrong list", by: "dana" }],
    });
    const other = await at.run(["resume", "--json"]);
    expect(JSON.parse(other.stdout)).toEqual({ resumed: false, still: ["purpose:refund"] });
    await at.run(["resume", "refund"]);
    expect(JSON.parse((await at.run(["status", "--json"])).stdout).halts).toEqual([]);
  });

  it("answers check with the reasons, and with its exit code", async () => {
    const at = await world();
    at.env.APP_ENV = "staging";
    const { code, stderr } = await at.run(["check", "ann@acme.test", "ann@other.example"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/ann@acme\.test: mail/);
    expect(stderr).toContain("NOT_ALLOWLISTED");
    expect((await at.run(["check", "ann@acme.test"])).code).toBe(0);
  });

  it("has a doctor that fails on a closed environment and never mails", async () => {
    const at = await world();
    const good = await at.run(["doctor", "--json"]);
    expect(JSON.parse(good.stdout).findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "drill", state: "ok" }),
        expect.objectContaining({ name: "clients", state: "ok" }),
      ]),
    );
    expect(good.code).toBe(0);
    at.env.APP_ENV = "prodution";
    const bad = await at.run(["doctor", "--json"]);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout).findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "environment", state: "fail" })]),
    );
    expect(at.received).toEqual([]);
  });

  it("has a doctor that fails on a replaced choke point and on a store that does not open", async () => {
    const at = await world();
    const file = path.join(at.directory, "mailfuse.config.mjs");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text}\nmailer.transporter.send = (_mail, done) => done(null, {});\n`);
    const moved = await at.run(["doctor", "--json"]);
    expect([moved.code, JSON.parse(moved.stdout).findings]).toEqual([
      1,
      expect.arrayContaining([expect.objectContaining({ name: "clients", state: "fail" })]),
    ]);
    writeFileSync(file, text.replace('path: "mailfuse.db"', 'path: "/nowhere/mailfuse.db"'));
    const closed = await at.run(["doctor", "--json"]);
    expect([closed.code, JSON.parse(closed.stdout).findings]).toEqual([
      1,
      expect.arrayContaining([expect.objectContaining({ name: "store", state: "fail" })]),
    ]);
    expect((await at.run(["status"])).code).toBe(1);
    expect(at.received).toEqual([]);
  });

  it("never prompts: confirm, keys and init end with 2, whatever stdin says", async () => {
    const at = await world();
    for (const args of [["confirm", "p_x", "--by", "erin"], ["keys", "new", "erin"], ["init"]]) {
      const { code, stderr } = await at.run(args);
      expect([args[0], code]).toEqual([args[0], 2]);
      expect(stderr).toContain("Expected a terminal");
    }
  });

  it("writes no colours when it should not", async () => {
    const at = await world();
    expect((await at.run(["status"])).stderr).not.toContain("\u001b[");
    expect((await at.run(["status"], { FORCE_COLOR: "1" })).stderr).toContain("\u001b[");
    expect((await at.run(["status", "--no-color"], { FORCE_COLOR: "1" })).stderr).not.toContain("\u001b[");
    expect((await at.run(["status"], { FORCE_COLOR: "1", NO_COLOR: "1" })).stderr).not.toContain("\u001b[");
  });

  it("waits for approval with 4, refuses with 3, and does not find with 2", async () => {
    const at = await world();
    const plan = await at.plan("ann@acme.test", "ben@acme.test");
    expect((await at.run(["release", plan.id])).code).toBe(4);
    expect((await at.run(["release", plan.id, "--token", "forged"])).code).toBe(3);
    expect((await at.run(["release", "p_none"])).code).toBe(2);
    expect((await at.run(["plan", "reject", plan.id, "--reason", "wrong list", "--by", "mallory"])).code).toBe(2);
    const rejected = await at.run(["plan", "reject", plan.id, "--reason", "wrong list", "--by", "dana", "--json"]);
    expect([rejected.code, JSON.parse(rejected.stdout).state]).toEqual([0, "rejected"]);
    expect((await at.run(["release", plan.id])).code).toBe(3);
    expect(at.received).toEqual([]);
  });

  it("strips what a terminal would obey from texts of others", async () => {
    const at = await world();
    await at.run(["halt", "--reason", "\u001b[2Jnothing\u202e", "--by", "dana"]);
    const { stderr } = await at.run(["status"]);
    expect(stderr).toContain("[2Jnothing");
    for (const sign of ["\u001b", "\u202e"]) expect(stderr).not.toContain(sign);
  });

  it("does not break when nobody reads on", async () => {
    const at = await world();
    const { spawnSync } = await import("node:child_process");
    const { status, stderr } = spawnSync(
      "sh",
      [
        "-c",
        `"${process.execPath}" "${at.bin}" completion bash | true; "${process.execPath}" "${at.bin}" --help | head -n 1 > /dev/null`,
      ],
      { encoding: "utf8", cwd: at.directory },
    );
    expect([status, stderr]).toEqual([0, ""]);
  });

  it("prints completion scripts that shells read", async () => {
    const at = await world();
    const { stdout } = await at.run(["completion", "bash"]);
    const { spawnSync } = await import("node:child_process");
    const asked = spawnSync(
      "bash",
      ["-c", `${stdout}\nCOMP_WORDS=(mailfuse plan sh); COMP_CWORD=2; _mailfuse; echo "\${COMPREPLY[@]}"`],
      { encoding: "utf8" },
    );
    expect(asked.stdout.trim()).toBe("show");
    expect((await at.run(["completion", "tcsh"])).code).toBe(2);
  });

  it("writes a typed configuration once, which works as it is", async () => {
    const at = await world({
      "package.json": '{"type":"module","devDependencies":{"typescript":"6","better-sqlite3":"12","nodemailer":"10"}}',
    });
    const { code, stderr } = await at.run(["init", "--yes"]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("fuse.attach(transporter, nodemailerAdapter());")]);
    const text = readFileSync(path.join(at.directory, "mailfuse.config.ts"), "utf8");
    expect(text).toContain('mode: "observe"');
    at.env.APP_ENV = "production";
    const doctor = await at.run(["doctor", "--json", "--config", "mailfuse.config.ts"]);
    expect([doctor.code, JSON.parse(doctor.stdout).description]).toMatchObject([0, { mode: "observe" }]);
    expect((await at.run(["init", "--yes"])).code).toBe(2);
    expect(readFileSync(path.join(at.directory, "mailfuse.config.ts"), "utf8")).toBe(text);
  });
});

describe.skipIf(!hasTerminal)("in a terminal", () => {
  it("confirms with the approver's key and releases to exactly the people shown", async () => {
    const at = await world();
    const key = await approver(at, "erin");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(key, "utf8")).not.toContain("PRIVATE KEY");
    const plan = await at.plan("ann@acme.test", "ben@acme.test");
    const confirmed = await at.type(
      ["confirm", plan.id, "--key", key],
      [
        [/to confirm, anything else to leave: /, "2 refund"],
        [/Passphrase of erin's key: /, passphrase],
      ],
    );
    expect(confirmed.code, confirmed.stderr).toBe(0);
    expect(confirmed.stderr).not.toContain(passphrase);
    const token = confirmed.stdout.trim();
    expect(at.received).toEqual([]);
    const released = await at.run(["release", plan.id, "--token", token, "--json"]);
    expect(JSON.parse(released.stdout)).toMatchObject({ state: "done", accepted: 2 });
    expect(released.code).toBe(0);
    expect([...at.received].sort()).toEqual(["ann@acme.test", "ben@acme.test"]);
    expect((await at.run(["release", plan.id, "--token", token])).code).not.toBe(1);
    expect(at.received).toHaveLength(2);
  });

  it("mints nothing for a wrong phrase, a wrong passphrase, a key others can read, or the requester", async () => {
    const at = await world();
    const key = await approver(at, "erin");
    const danas = await approver(at, "dana");
    const plan = await at.plan("ann@acme.test");
    const phrase = await at.type(["confirm", plan.id, "--key", key], [[/leave: /, "yes"]]);
    expect([phrase.code, phrase.stdout]).toEqual([3, ""]);
    const wrong = await at.type(
      ["confirm", plan.id, "--key", key],
      [
        [/leave: /, "1 refund"],
        [/Passphrase.*: /, "another one altogether"],
      ],
    );
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    const own = await at.type(["confirm", plan.id, "--key", danas], [[/leave: /, "1 refund"]]);
    expect([own.code, own.stdout]).toEqual([3, ""]);
    expect(own.stderr).toContain("another approver has to confirm");
    chmodSync(key, 0o644);
    const open = await at.type(["confirm", plan.id, "--key", key], [[/leave: /, "1 refund"]]);
    expect([open.code, open.stdout]).toEqual([2, ""]);
    expect(at.received).toEqual([]);
  });

  it("asks what it needs for a configuration, and writes the answers", async () => {
    const at = await world();
    rmSync(path.join(at.directory, "mailfuse.config.mjs"));
    const { code, stderr } = await at.type(
      ["init"],
      [
        [/names the environment.*: /, "STAGE"],
        [/value in production.*: /, "prod"],
        [/value in staging.*: /, ""],
        [/staging may mail.*: /, "*@acme.test, qa+*@acme.com"],
        [/ask for mass mails.*: /, "dana"],
      ],
    );
    expect(code, stderr).toBe(0);
    at.env.STAGE = "staging";
    const { stdout } = await at.run(["check", "qa+1@acme.com", "ann@other.example", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      environment: "staging",
      mode: "test",
      answers: [{ gets: "mail" }, { gets: "nothing" }],
    });
    at.env.STAGE = "prod";
    expect(JSON.parse((await at.run(["status", "--json"])).stdout).description.mode).toBe("observe");
  });

  it("rotates a key: the configuration names both until the old one is taken out", async () => {
    const at = await world();
    const key = await approver(at, "erin");
    const before = JSON.parse(readFileSync(key, "utf8")).publicKey as string;
    const { stdout, code } = await at.type(
      ["keys", "rotate", "erin", "--key", key, "--json"],
      [
        [/Passphrase.*: /, passphrase],
        [/Once more: /, passphrase],
      ],
    );
    expect(code).toBe(0);
    const { publicKeys } = JSON.parse(stdout) as { publicKeys: string[] };
    expect(publicKeys).toEqual([JSON.parse(readFileSync(key, "utf8")).publicKey, before]);
    expect(publicKeys[0]).not.toBe(before);
    expect(existsSync(`${key}.new`)).toBe(false);
  });

  it("refuses a short passphrase and two that differ, and overwrites no key", async () => {
    const at = await world();
    const file = path.join(at.directory, "erin.key");
    const short = await at.type(["keys", "new", "erin", "--key", file], [[/Passphrase.*: /, "short"]]);
    expect([short.code, existsSync(file)]).toEqual([2, false]);
    const differ = await at.type(
      ["keys", "new", "erin", "--key", file],
      [
        [/Passphrase.*: /, passphrase],
        [/more: /, "something else!"],
      ],
    );
    expect([differ.code, existsSync(file)]).toEqual([2, false]);
    await approver(at, "erin");
    const text = readFileSync(file, "utf8");
    const again = await at.type(
      ["keys", "new", "erin", "--key", file],
      [
        [/Passphrase.*: /, passphrase],
        [/more: /, passphrase],
      ],
    );
    expect([again.code, readFileSync(file, "utf8")]).toEqual([2, text]);
  });
});

describe("after the fact", () => {
  async function released(): Promise<{ at: World; id: string }> {
    const at = await world();
    const key = await approver(at, "erin");
    const plan = await at.plan("ann@acme.test", "ben@acme.test");
    const confirmed = await at.type(
      ["confirm", plan.id, "--key", key, "--record"],
      [
        [/leave: /, "2 refund"],
        [/Passphrase.*: /, passphrase],
      ],
    );
    expect([confirmed.code, confirmed.stdout], confirmed.stderr).toEqual([0, ""]);
    const done = await at.type(["release", plan.id], []);
    expect(done.code, done.stderr).toBe(0);
    // A bar on a terminal, and none in a file.
    expect(done.stderr).toContain("Delivering [");
    expect(at.received).toHaveLength(2);
    return { at, id: plan.id };
  }

  it.skipIf(!hasTerminal)(
    "says what a plan did, verifies the ledger, exports it, and finds what was changed",
    async () => {
      const { at, id } = await released();
      const shown = await at.run(["incident", "show", id, "--json"]);
      expect(JSON.parse(shown.stdout)).toMatchObject({ plan: id, people: { accepted: 2, unknown: 0 } });
      const report = await at.run(["incident", "report", id]);
      expect(report.stdout).toContain("refund");
      expect((await at.run(["incident", "report", id, "--html", "report.html"])).code).toBe(0);
      expect((await at.run(["incident", "report", id, "--html", "report.html"])).code).toBe(2);
      expect(statSync(path.join(at.directory, "report.html")).mode & 0o777).toBe(0o600);
      expect((await at.run(["incident", "correct", id, "--by", "dana"])).code).toBe(2);
      expect((await at.run(["incident", "show", "p_none"])).code).toBe(2);
      expect((await at.run(["incident", "show", "--purpose", "refund"])).code).toBe(2);

      const diff = await at.run(["plan", "diff", (await at.plan("ann@acme.test", "cleo@acme.test")).id, "--json"]);
      expect(JSON.parse(diff.stdout)).toMatchObject({ people: 2, last: { plan: id, gained: 1, lost: 1 } });

      expect((await at.run(["ledger", "verify"])).code).toBe(0);
      expect((await at.run(["ledger", "export", "ledger.jsonl"])).code).toBe(0);
      const file = path.join(at.directory, "ledger.jsonl");
      const text = readFileSync(file, "utf8");
      for (const name of ["ann@", "ben@"]) expect(text).not.toContain(name);
      expect((await at.run(["ledger", "verify", "--file", "ledger.jsonl"])).code).toBe(0);
      writeFileSync(file, text.replace('"fate":"accepted"', '"fate":"refused"'));
      const changed = await at.run(["ledger", "verify", "--file", "ledger.jsonl", "--json"]);
      expect([changed.code, JSON.parse(changed.stdout).ok]).toEqual([3, false]);
      const tail = await at.run(["ledger", "tail", "--json"]);
      for (const line of tail.stdout.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("event.type");
    },
  );

  it.skipIf(!hasTerminal)(
    "plans a correction to exactly the people reached, which leaves only when it is confirmed",
    async () => {
      const { at, id } = await released();
      const file = path.join(at.directory, "mailfuse.config.mjs");
      writeFileSync(
        file,
        `${readFileSync(file, "utf8")}
export const incident = {
  right: (address) => address === "ben@acme.test",
  send: ({ address }) => mailer.sendMail({ from: "shop@acme.test", to: address, subject: "Sorry", text: "Dear " + address + ", please ignore our mail." }),
};`,
      );
      const planned = await at.run(["incident", "correct", id, "--by", "dana", "--json"]);
      expect([planned.code, planned.stderr]).toEqual([4, expect.anything()]);
      const plan = JSON.parse(planned.stdout) as { id: string; terms: { people: number } };
      expect(plan.terms.people).toBe(1);
      expect((await at.run(["release", plan.id])).code).toBe(4);
      expect(at.received).toHaveLength(2);
    },
  );

  it("serves the console on loopback, for whoever opens its address first, once", async () => {
    const at = await world();
    const { url, end } = await at.serve(["console", "--by", "erin", "--json"]);
    const origin = new URL(url).origin;
    expect((await fetch(origin)).status).toBe(401);
    expect((await fetch(`${origin}/?once=guess`)).status).toBe(401);
    const first = await fetch(url, { redirect: "manual" });
    const cookie = first.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    const headers = { cookie: cookie.split(";")[0] as string };
    expect(await (await fetch(origin, { headers })).text()).toContain("LIVE");
    expect((await fetch(url, { redirect: "manual" })).status).toBe(401);
    expect(await end()).toBe(0);
  });
});
