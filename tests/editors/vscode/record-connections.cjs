/** Preloaded into every Node process of code-server: writes down each host that is connected to, before it happens. */
const { appendFileSync } = require('node:fs');
const { Socket } = require('node:net');

const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...given) {
    // Node itself passes on its arguments as one array, made from (options), (path) or (port, host).
    const [first, second] = Array.isArray(given[0]) ? given[0] : given;
    const options = typeof first === 'object' ? first : { port: first, host: second };
    if (options.port && Number(options.port)) {
        const host = typeof options.host === 'string' ? options.host : 'localhost';
        appendFileSync(process.env.CONNECTIONS_LOG, `${host}\n`);
    }
    return connect.apply(this, given);
};
