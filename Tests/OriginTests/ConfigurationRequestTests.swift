import HTTPTypes
import Testing

@testable import Origin

/// The addresses that read and change the configuration.
@Suite struct ConfigurationRequestTests {
  @Test func addressesAreToldApart() {
    #expect(ConfigurationRequest(path: "/reload") == .reload)
    #expect(ConfigurationRequest(path: "/cameras/desk") == .camera("desk"))
    #expect(ConfigurationRequest(path: "/cameras/De sk") == .camera("De sk"))
    for path in ["/", "/reload/", "/cameras", "/cameras/", "/cameras/desk/", "/cameras/desk/pause", "/x/desk"] {
      #expect(ConfigurationRequest(path: path[...]) == nil, "\(path)")
    }
    #expect(ConfigurationRequest.reload.methods == [.post])
    #expect(ConfigurationRequest.camera("desk").methods == [.get, .head, .put, .delete])
  }
}
