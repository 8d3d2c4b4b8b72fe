// Uses the client that openapi-generator made of the native document: logs in, records three events as a list, lists them.
//
//     node use_typescript_fetch.js URL EMAIL PASSWORD

import { Configuration, EventsApi, SessionsApi } from "./native/src";

declare const process: { argv: string[] };

async function main([basePath, email, password]: string[]): Promise<void> {
    const tokens = await new SessionsApi(new Configuration({ basePath })).logIn({ loginInput: { email, password } });
    const events = new EventsApi(new Configuration({ basePath, accessToken: tokens.accessToken }));
    const result = await events.recordEvents({
        eventInput: [
            { type: "page_load", userId: "u1", page: "/a", metadata: { plan: "pro" } },
            { type: "logout", userId: "u1" },
            { type: "login_fail", userId: "u1", source: "AWS Internal", userAgent: "\t".repeat(2_000) },
        ],
    });
    const listed = await events.listEvents({
        userId: ["u1", "u2"], typeNot: ["sign_up", "userinfo"], source: ["127.0.0.0/8"], from: "2020-01-31", to: "2999-01-31T12:00:00+09:00",
    });
    const first = await events.getEvent({ eventId: result.results[0].id! });
    console.log(JSON.stringify({
        stored: result.stored,
        types: listed.events.map((event) => event.type),
        metadata: first.metadata,
        warned: result.results[2].warnings?.map((warning) => warning.field),
    }));
}

void main(process.argv.slice(2));
