"""A small Qdrant server for tests: the REST calls our engine makes, answered by Qdrant's own core.

The core is that of `qdrant-edge-py`, so that filters, phrases, facets, order and scores are what a
real server gives, and indexes that were not created are missed. One shard, no cluster, no gRPC.
"""

import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import qdrant_edge as edge

UPDATED = {"operation_id": 1, "status": "completed"}


class EdgeServer:
    """Serves from construction until `close`.

    Args:
        folder: An empty folder for the collections.
        version: What it says it is.
        key: API key that clients must send.
    """

    def __init__(self, folder, version="1.20.0", key=""):
        self.folder, self.version, self.key = folder, version, key
        self.shards, self.requests, self.failing = {}, [], lambda method, path: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, result = server.answer(self, body)
                text = json.dumps(result).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
        for shard in self.shards.values():
            shard.close()

    def optimize(self):
        """Build graphs now; a real server does so by itself, and only for large segments."""
        for shard in self.shards.values():
            shard.optimize()

    def answer(self, request, body):
        path = request.path.partition("?")[0]
        self.requests.append((request.command, path, body))
        if self.key and request.headers.get("api-key") != self.key:
            return 401, {"status": {"error": "Must provide an API key"}}
        if status := self.failing(request.command, path):
            return status, {"status": {"error": "told to fail"}}
        if path == "/":
            return 200, {"title": "qdrant - vector search engine", "version": self.version}
        name, call = re.fullmatch(r"/collections/([^/]+)(.*)", path).groups()
        try:
            result = CALLS[request.command, call](self, name, body)
        except KeyError as error:
            return 404, {"status": {"error": f"Not found: {error}"}}
        except Exception as error:
            return 400, {"status": {"error": str(error)}}
        return 200, {"result": result, "status": "ok", "time": 0.0}

    # Collections

    def create(self, name, body):
        if name in self.shards:
            raise ValueError(f"Collection {name} already exists")
        dense = {key: _dense(one) for key, one in (body["vectors"] or {}).items()}
        words = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
        config = edge.EdgeConfig(
            vectors=dense or None,
            sparse_vectors={"words": words},
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10),
        )
        place = self.folder / uuid.uuid4().hex
        place.mkdir(parents=True)
        self.shards[name] = edge.EdgeShard.create(str(place), config)
        return True

    def drop(self, name, body):
        self.shards.pop(name).close()
        return True

    def index(self, name, body):
        schema = dict(body["field_schema"])
        kind = schema.pop("type")
        if schema.get("tokenizer"):
            schema["tokenizer"] = getattr(edge.TokenizerType, schema["tokenizer"].capitalize())
        make = getattr(edge, f"{kind.capitalize()}IndexParams")
        made = make(**{key: value for key, value in schema.items() if value is not None})
        return self.update(name, edge.UpdateOperation.create_field_index(body["field_name"], made))

    def update(self, name, operation):
        self.shards[name].update(operation)
        return UPDATED

    # Points

    def put(self, name, body):
        points = [
            edge.Point(one["id"], _vectors(one["vector"]), one["payload"]) for one in body["points"]
        ]
        return self.update(name, edge.UpdateOperation.upsert_points(points))

    def vectors(self, name, body):
        points = [edge.PointVectors(one["id"], _vectors(one["vector"])) for one in body["points"]]
        return self.update(name, edge.UpdateOperation.update_vectors(points))

    def payload(self, name, body):
        change = edge.UpdateOperation.set_payload_by_filter
        return self.update(name, change(filter_of(body["filter"]), body["payload"]))

    def delete(self, name, body):
        return self.update(name, edge.UpdateOperation.delete_points(body["points"]))

    def get(self, name, body):
        selected = body.get("with_payload", True), body.get("with_vector") or False
        return [_record(one) for one in self.shards[name].retrieve(body["ids"], *selected)]

    def count(self, name, body):
        request = edge.CountRequest(exact=body["exact"], filter=filter_of(body.get("filter")))
        return {"count": self.shards[name].count(request)}

    def facet(self, name, body):
        request = edge.FacetRequest(
            body["key"], body["limit"], body["exact"], filter_of(body.get("filter"))
        )
        hits = self.shards[name].facet(request).hits
        return {"hits": [{"value": hit.value, "count": hit.count} for hit in hits]}

    def scroll(self, name, body):
        order = body.get("order_by")
        if order is not None:
            way = {"asc": edge.Direction.Asc, "desc": edge.Direction.Desc}[order["direction"]]
            order = edge.OrderBy(order["key"], way)
        request = edge.ScrollRequest(
            offset=body.get("offset"),
            limit=body["limit"],
            filter=filter_of(body.get("filter")),
            with_payload=body["with_payload"],
            order_by=order,
        )
        records, offset = self.shards[name].scroll(request)
        offset = None if offset is None else str(offset)
        return {"points": [_record(one) for one in records], "next_page_offset": offset}

    def query(self, name, body):
        found = self.shards[name].query(_request(body))
        return {"points": [_scored(one) for one in found]}

    def query_batch(self, name, body):
        return [self.query(name, one) for one in body["searches"]]


CALLS = {
    ("PUT", ""): EdgeServer.create,
    ("DELETE", ""): EdgeServer.drop,
    ("GET", "/exists"): lambda server, name, body: {"exists": name in server.shards},
    ("PUT", "/index"): EdgeServer.index,
    ("PUT", "/points"): EdgeServer.put,
    ("POST", "/points"): EdgeServer.get,
    ("PUT", "/points/vectors"): EdgeServer.vectors,
    ("POST", "/points/payload"): EdgeServer.payload,
    ("POST", "/points/delete"): EdgeServer.delete,
    ("POST", "/points/count"): EdgeServer.count,
    ("POST", "/points/scroll"): EdgeServer.scroll,
    ("POST", "/points/query"): EdgeServer.query,
    ("POST", "/points/query/batch"): EdgeServer.query_batch,
    ("POST", "/facet"): EdgeServer.facet,
}


def _dense(config):
    graph, scalar = config["hnsw_config"], config["quantization_config"]["scalar"]
    return edge.EdgeVectorParams(
        size=config["size"],
        distance=getattr(edge.Distance, config["distance"]),
        on_disk=config["on_disk"],
        hnsw_config=edge.HnswIndexConfig(
            graph["m"], graph["ef_construct"], 10, payload_m=graph["payload_m"]
        ),
        quantization_config=edge.ScalarQuantizationConfig(
            edge.ScalarType.Int8, scalar["quantile"], scalar["always_ram"]
        ),
    )


def _vectors(vectors):
    return {name: _vector(vector) for name, vector in vectors.items()}


def _vector(vector):
    return edge.SparseVector(**vector) if isinstance(vector, dict) else vector


def _request(body):
    query = body["query"]
    if "sample" in query:
        query = edge.Sample.Random
    else:
        query = edge.Query.Nearest(_vector(query["nearest"]), using=body["using"])
    return edge.QueryRequest(
        limit=body["limit"],
        query=query,
        filter=filter_of(body.get("filter")),
        with_payload=body.get("with_payload", False),
        with_vector=body.get("with_vector", False),
        params=_params(body.get("params")),
    )


def _params(params):
    if params is None:
        return None
    quantization = params.get("quantization")
    if quantization:
        quantization = edge.QuantizationSearchParams(
            rescore=quantization["rescore"], oversampling=quantization["oversampling"]
        )
    return edge.SearchParams(
        hnsw_ef=params.get("hnsw_ef"),
        exact=bool(params.get("exact")),
        quantization=quantization,
    )


def filter_of(body):
    """Return a filter of the REST API as the core takes it."""
    if body is None:
        return None
    parts = {key: [_condition(one) for one in value] for key, value in body.items() if value}
    return edge.Filter(**parts)


def _condition(body):
    if "has_id" in body:
        return edge.HasIdCondition(set(body["has_id"]))
    if isinstance(body.get("is_empty"), dict):
        return edge.IsEmptyCondition(body["is_empty"]["key"])
    if body.get("match"):
        return edge.FieldCondition(body["key"], match=_match(body["match"]))
    if body.get("range"):
        bounds = {key: value for key, value in body["range"].items() if value is not None}
        return edge.FieldCondition(body["key"], range=edge.RangeFloat(**bounds))
    return filter_of(body)


def _match(match):
    if "any" in match:
        return edge.MatchAny(match["any"])
    if "phrase" in match:
        return edge.MatchPhrase(match["phrase"])
    return edge.MatchValue(match["value"])


def _record(one):
    return {
        "id": str(one.id) if not isinstance(one.id, int) else one.id,
        "payload": one.payload,
        "vector": one.vector and {n: v for n, v in one.vector.items() if isinstance(v, list)},
        "order_value": one.order_value,
    }


def _scored(one):
    return {**_record(one), "score": one.score, "version": one.version}
