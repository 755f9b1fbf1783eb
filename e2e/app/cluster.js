'use strict';

// Runs one worker a CPU, two at least, and replaces those that die.
const cluster = require('cluster');
const os = require('os');

if (!cluster.isPrimary) {
  require('./app');
  return;
}

let stopping = false;

cluster.on('exit', (worker, code, signal) => {
  if (stopping) return;
  console.error('worker %d ended (%s), starting another', worker.process.pid, signal || code);
  setTimeout(() => stopping || cluster.fork(), 500);
});

for (const name of ['SIGTERM', 'SIGINT']) {
  process.on(name, () => {
    stopping = true;
    for (const worker of Object.values(cluster.workers)) worker.kill();
  });
}

for (let i = 0; i < Math.max(2, os.cpus().length); i++) cluster.fork();
