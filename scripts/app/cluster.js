// A page to begin with: put your application in the place of this directory.
const fs = require('fs');
const http = require('http');
const path = require('path');

const file = path.join(__dirname, '.env.json');
const config = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { title: '{APP}' };

http
  .createServer((req, res) => {
    if (req.url === '/health') return res.end('ok\n');
    res.setHeader('Content-Type', 'text/plain; charset=utf-8');
    res.end(`${config.title}, node ${process.version}\n`);
  })
  .listen(Number(process.env.PORT) || 3000, '127.0.0.1');
