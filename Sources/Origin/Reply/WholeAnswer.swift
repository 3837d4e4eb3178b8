import HTTPTypes
import Hummingbird
import NIOCore

/// What decides the form of an answer: the method of its request, and the fields that the form can depend on.
struct AskedForm: Sendable {
  /// The method.
  let method: HTTPRequest.Method
  /// At least the fields that are named in `RequestConditions.fieldNames`, as far as the request has them.
  let fields: HTTPFields

  init(method: HTTPRequest.Method, fields: HTTPFields) { (self.method, self.fields) = (method, fields) }

  init(_ request: Request) { self.init(method: request.method, fields: request.headers) }
}

/// An answer whose bytes are all there, for every version of HTTP.
struct WholeAnswer: Sendable {
  /// The status.
  var status: HTTPResponse.Status
  /// The fields, with Content-Length where there can be a body; the date comes when it is sent.
  var fields: HTTPFields
  /// What is sent behind the head: nothing where the request was HEAD.
  private(set) var body: ByteBuffer

  /// An answer with its length; an answer to HEAD has no body.
  init(_ asked: AskedForm, status: HTTPResponse.Status, fields: HTTPFields, body: ByteBuffer) {
    self.status = status
    self.fields = fields
    self.fields[.contentLength] = "\(body.readableBytes)"
    self.body = asked.method == .head ? ByteBuffer() : body
  }

  /// An answer that never has a body, and so no length (RFC 9110, section 8.6).
  init(bodiless status: HTTPResponse.Status, fields: HTTPFields) {
    (self.status, self.fields, body) = (status, fields, ByteBuffer())
  }
}

extension Response {
  /// The same for Hummingbird.
  init(_ answer: WholeAnswer) {
    let hasLength = answer.fields[.contentLength] != nil
    self.init(
      status: answer.status, headers: answer.fields,
      body: hasLength ? Reply.body(of: answer.body) : ResponseBody { try await $0.finish(nil) })
  }
}
