(using_directive (_) @import)
