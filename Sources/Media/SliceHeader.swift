/// What the header of a slice says (ITU-T H.264, section 7.3.3): every choice of the encoder besides the picture
/// itself.
package struct SliceHeader: Hashable, Sendable {
  /// `nal_ref_idc`, 0 to 3.
  package var referenceIDC = 0
  /// Whether the picture is an IDR picture.
  package var isIDR = false
  /// `first_mb_in_slice`.
  package var firstMacroblock = 0
  /// `slice_type`: 0 or 5 for P, 2 or 7 for I; 5 and 7 say that all slices of the picture are alike.
  package var type = 0
  /// `pic_parameter_set_id`.
  package var pictureSet = 0
  /// `frame_num`.
  package var frameNumber = 0
  /// `idr_pic_id`, of IDR pictures.
  package var idrPictureID: Int?
  /// `pic_order_cnt_lsb`, where the order of pictures is of type 0.
  package var pictureOrder: Int?
  /// The length of the list of references, where the header changes it.
  package var references: Int?
  /// The changes of the list of references, each as its kind and its number.
  package var reorderings: [[Int]] = []
  /// The weights of the references, each as it is written; empty where none are.
  package var weights: [Int] = []
  /// What it says about keeping this and earlier pictures (`dec_ref_pic_marking`).
  package var marking: [Int] = []
  /// `cabac_init_idc`, of P slices.
  package var cabacTable: Int?
  /// `slice_qp_delta`.
  package var quantizer = 0
  /// `disable_deblocking_filter_idc` and the two offsets.
  package var deblocking: [Int] = []

  /// A header that says nothing yet.
  package init() {}

  /// All of it by its name, for whoever compares streams. What is not there is -1.
  package var fields: [(name: String, value: Int)] {
    [
      ("nal_ref_idc", referenceIDC), ("first_mb_in_slice", firstMacroblock), ("slice_type", type),
      ("pic_parameter_set_id", pictureSet), ("frame_num", frameNumber), ("idr_pic_id", idrPictureID ?? -1),
      ("pic_order_cnt_lsb", pictureOrder ?? -1), ("references", references ?? -1),
      ("reorderings", reorderings.count), ("weights", weights.count), ("marking", marking.count),
      ("cabac_init_idc", cabacTable ?? -1), ("slice_qp_delta", quantizer),
      ("deblocking", deblocking.reduce(0) { $0 * 16 + $1 }),
    ]
  }
}
