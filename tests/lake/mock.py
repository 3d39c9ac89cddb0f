"""A server that speaks just enough of S3 to go wrong in every way: one way per bucket."""
import http.server
import threading
import urllib.parse

OBJECTS = {"t/p%d.csv" % i: b"id,v\n" + b"".join(b"%d,row %d\n" % (i * 100 + k, k) for k in range(100)) for i in range(5)}


def error(code, message="told to"):
    return ("<?xml version='1.0'?><Error><Code>%s</Code><Message>%s</Message></Error>" % (code, message)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}
    lock = threading.Lock()
    log = []

    def log_message(self, *args):
        pass

    def answer(self, status, body, headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def nth(self, what):
        with self.lock:
            n = self.counts.get(what, 0)
            self.counts[what] = n + 1
            return n

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with self.lock:
            self.log.append((bucket, self.command, key, self.headers.get("Range")))
        if bucket == "denied":
            return self.answer(403, error("AccessDenied"))
        if bucket == "nobucket":
            return self.answer(404, error("NoSuchBucket", "The specified bucket does not exist"))
        if bucket == "region":
            return self.answer(301, error("PermanentRedirect"), [("x-amz-bucket-region", "eu-central-1")])
        if bucket == "always503" or (bucket == "sometimes503" and self.nth("s") % 3 == 0):
            return self.answer(503, error("SlowDown"))
        if "list-type" in query:
            return self.list(bucket, query)
        if key not in OBJECTS:
            return self.answer(404, error("NoSuchKey"))
        return self.object(bucket, key)

    def list(self, bucket, query):
        if bucket == "junk":
            return self.answer(200, b"<html>not here</html>")
        prefix, token = query["prefix"], query.get("continuation-token", "")
        keys = sorted(k for k in OBJECTS if k.startswith(prefix))
        if bucket == "endless":
            keys = keys[:2]
        entries, start = "", int(token or 0)
        if query.get("delimiter"):
            entries = "<CommonPrefixes><Prefix>t/</Prefix></CommonPrefixes>"
            page, more = [], False
        elif bucket == "endless":
            page, more = keys, True
        else:
            page, more = keys[start:start + 2], start + 2 < len(keys)
        for k in page:
            entries += "<Contents><Key>%s</Key><Size>%d</Size><ETag>&quot;%s&quot;</ETag></Contents>" % (k, len(OBJECTS[k]), "e" + k[3])
        if more:
            entries += "<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>" % (start + 2)
        self.answer(200, ("<ListBucketResult>%s</ListBucketResult>" % entries).encode())

    def object(self, bucket, key):
        data, etag = OBJECTS[key], '"e%s"' % key[3]
        first, _, last = self.headers.get("Range", "bytes=0-%d" % (len(data) - 1))[6:].partition("-")
        first, last = int(first), int(last)
        if bucket == "changed" and self.nth("c" + key) >= 1:
            etag, data = '"other"', data.replace(b"row", b"ROW")
        if self.headers.get("If-Match", etag) != etag:
            return self.answer(412, error("PreconditionFailed"))
        if bucket == "gone" and self.nth("g" + key) >= 1:
            return self.answer(404, error("NoSuchKey"))
        body = data[first:last + 1]
        headers = [("ETag", etag), ("Content-Range", "bytes %d-%d/%d" % (first, last, len(data)))]
        if bucket == "norange":
            return self.answer(200, b"x" + data, [("ETag", etag)])
        if bucket == "otherrange":
            headers[1] = ("Content-Range", "bytes %d-%d/%d" % (first, last, len(data) + 1))
        if bucket == "truncated" or (bucket == "cutonce" and self.nth("o" + key) == 0):
            self.answer(206, body[:len(body) // 2], headers, length=len(body))
            self.close_connection = True
            return
        self.answer(206, body, headers)


def start():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
