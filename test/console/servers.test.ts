/**
 * One contract for every server: pages, a form, its refusal from elsewhere, files, a body too large;
 * at the root and under a prefix, before and after body parsers.
 */
import "reflect-metadata";
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { serve } from "@hono/node-server";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createConsole, toNodeHandler } from "../../src/console";
import { byHeader, formOf, makeWorld } from "./world";

interface Running {
  readonly port: number;
  readonly close: () => unknown;
}
type Console = ReturnType<typeof createConsole>;
type Start = (console: Console, path: string) => Promise<Running>;

function listening(server: Server): Promise<Running> {
  return new Promise((resolve) =>
    server.once("listening", () =>
      resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() }),
    ),
  );
}

function expressApp(console: Console, path: string, parsers: readonly express.RequestHandler[]): Promise<Running> {
  const app = express();
  for (const parser of parsers) app.use(parser);
  if (path === "") app.use(toNodeHandler(console));
  else app.use(path, toNodeHandler(console));
  return listening(app.listen(0, "127.0.0.1"));
}

const servers: Readonly<Record<string, Start>> = {
  "node:http": (console) => listening(createServer(toNodeHandler(console)).listen(0, "127.0.0.1")),
  Express: (console, path) => expressApp(console, path, []),
  "Express after body parsers": (console, path) =>
    expressApp(console, path, [express.json(), express.urlencoded({ extended: true })]),
  "Express after a text parser": (console, path) =>
    expressApp(console, path, [express.text({ type: "*/*", limit: "1mb" })]),
  Fastify: async (console, path) => {
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    const handle = toNodeHandler(console);
    app.all(`${path}/*`, (request, reply) => {
      reply.hijack();
      return handle(request.raw, reply.raw);
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
  Hono: (console, path) => {
    const app = new Hono();
    app.all(`${path}/*`, (context) => console.fetch(context.req.raw));
    return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
  NestJS: async (console, path) => {
    class App {}
    Module({})(App);
    const app = await NestFactory.create(App, { logger: false });
    if (path === "") app.use(toNodeHandler(console));
    else app.use(path, toNodeHandler(console));
    await app.listen(0, "127.0.0.1");
    return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() };
  },
};

describe.each(Object.entries(servers))("in %s", (_name, start) => {
  it.each([
    ["at the root", ""],
    ["under a prefix", "/ops/mail"],
  ])("%s", async (_where, path) => {
    const made = makeWorld();
    const console = createConsole({ fuse: made.fuse, authorize: byHeader, path });
    const { port, close } = await start(console, path);
    const origin = `http://127.0.0.1:${port}`;
    const erin = { "x-test-user": "erin" };
    const own = { ...erin, origin, "sec-fetch-site": "same-origin" };
    const ask = (at: string, init: RequestInit = {}) =>
      fetch(`${origin}${path}${at}`, { redirect: "manual", headers: erin, ...init });
    try {
      const page = await ask("/");
      const text = await page.text();
      expect([page.status, text]).toEqual([200, expect.stringContaining("LIVE")]);
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(text).toContain(`href="${path}/console.css"`);
      expect((await ask("/console.css")).headers.get("content-type")).toContain("text/css");
      expect((await ask("/", { headers: {} })).status).toBe(401);

      const fields = { ...formOf(text, "halt"), reason: "wrong list & more", purpose: "refund" };
      const elsewhere = await ask("/halt", {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { ...own, origin: "http://evil.example" },
      });
      expect(elsewhere.status).toBe(403);
      const large = await ask("/halt", {
        method: "POST",
        body: new URLSearchParams({ ...fields, more: "x".repeat(80_000) }),
        headers: own,
      });
      expect(large.status).toBe(413);
      expect(await made.fuse.halts()).toEqual([]);
      const halted = await ask("/halt", { method: "POST", body: new URLSearchParams(fields), headers: own });
      expect([halted.status, halted.headers.get("location")]).toEqual([303, `${path}/?done=halted`]);
      expect(await made.fuse.halts()).toMatchObject([
        { by: "erin", reason: "wrong list & more", scope: "purpose:refund" },
      ]);
    } finally {
      await close();
    }
  });
});
