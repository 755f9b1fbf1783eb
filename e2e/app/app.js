'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');
const express = require('express');

// The configuration of one environment, which carnivore placed here.
function configuration() {
  try {
    return JSON.parse(fs.readFileSync(path.join(__dirname, '.env.json'), 'utf8'));
  } catch (err) {
    if (err.code === 'ENOENT') return { title: 'sample, not configured' };
    throw err;
  }
}

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const config = configuration();
const environment = process.env.NODE_ENV || 'development';
const app = express();

app.disable('x-powered-by');

app.get('/health', (req, res) => res.json({ status: 'ok', environment, node: process.version }));

app.get('/', (req, res) => {
  res.send(`<!doctype html>
<html lang="en">
<head><title>${escape(config.title)}</title><link rel="stylesheet" href="/style.css"></head>
<body>
<h1>${escape(config.title)}</h1>
<p>environment ${escape(environment)}, node ${process.version}, machine ${escape(os.hostname())}</p>
</body>
</html>
`);
});

// nginx serves these in production; this is for running without it.
app.use(express.static(path.join(__dirname, '.bin/public')));

app.listen(Number(process.env.PORT) || 3000, '127.0.0.1');
