// One entry of the table: the file at QC_PATH, unless it is not there. (hls.js and its brotli form are fetched by the
// build, and a build without them is possible.)
#if __has_embed(QC_PATH) == __STDC_EMBED_FOUND__
{
  QC_PATH,
  (const unsigned char[]){
#embed QC_PATH
  },
  sizeof((const unsigned char[]){
#embed QC_PATH
  }),
},
#endif
#undef QC_PATH
